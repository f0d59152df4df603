using System.Globalization;
using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Fleets;

/// <summary>Rules and counters for tests.</summary>
internal static class Counters
{
    /// <summary>Longer than any test by so much that nothing comes back while it runs.</summary>
    public static readonly TimeSpan Long = TimeSpan.FromDays(300);

    public static readonly CounterHasher Hasher = new(new byte[32]);

    public static Rule Rule(long permits, TimeSpan window, AlgorithmKind algorithm = AlgorithmKind.SlidingWindow, FailurePolicy failure = FailurePolicy.Closed) =>
        Weir.Rule.Create(new RuleOptions { Name = algorithm.ToName(), Algorithm = algorithm, Permits = permits, Window = window, Failure = failure });

    public static Charge Charge(Rule rule, string key, int cost = 1)
    {
        var label = CounterLabel.OfKey(key);
        return new Charge(rule, Hasher.Combine(Hasher.Start(rule), label), cost, label);
    }

    public static Charge Charge(Rule rule, int key, int cost = 1) => Charge(rule, key.ToString(CultureInfo.InvariantCulture), cost);

    /// <summary>What is charged to a counter, asked of Redis itself.</summary>
    public static async Task<long> UsedAsync(RedisNode node, Charge charge)
    {
        var look = await node.Engine.DecideAsync(charge with { Cost = 0 });
        // A node that asks nothing may not have noticed yet that it has to connect, or to tell what it knows. Looks take nothing.
        if (look.Source == DecisionSource.Degraded)
            await Eventually.IsTrueAsync(
                async () => (look = await node.Engine.DecideAsync(charge with { Cost = 0 })).Source != DecisionSource.Degraded, $"Redis tells what is used under {charge.Rule}");
        return charge.Rule.Burst - look.Remaining;
    }
}
