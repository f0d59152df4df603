using Weir.TestKit;

namespace Weir.Core.Tests.Memory;

/// <summary>Requests with several limits, from many threads and in every order: what the children were charged is what their parent was.</summary>
[Collection(Threads.Name)]
public class ConservationTests
{
    private const int Children = 20;

    [Theory]
    [InlineData(AlgorithmKind.TokenBucket)]
    [InlineData(AlgorithmKind.SlidingWindow)]
    [InlineData(AlgorithmKind.FixedWindow)]
    public async Task ChildrenSumUpToTheirParent(AlgorithmKind parentAlgorithm)
    {
        using var engine = new MemoryEngine(time: new ManualTimeProvider());
        var now = engine.Clock.NowMicros;
        var parent = new Charge(RuleOf(parentAlgorithm, 40_000), new CounterId(0x5000_0000_0000_0000, 1), 0, default);
        var children = Enumerable.Range(0, Children).Select(i => Child(i)).ToArray();
        var (allowed, refused) = (0, 0);
        await Threads.Run(6, thread => Request(engine, parent, children, thread, now, ref allowed, ref refused));
        Assert.True(allowed > 1_000 && refused > 1_000, $"{allowed} allowed, {refused} refused");
        var page = await engine.ListAsync(0, 1_000, blockedOnly: false);
        var used = page.Counters.ToDictionary(c => c.Id, c => c.Used);
        Assert.InRange(used[parent.Id], 1, 40_000);
        Assert.Equal(used[parent.Id], children.Sum(c => used.GetValueOrDefault(c.Id)));
    }

    // One to four children in random order, some twice, the parent somewhere among them for as much as they take together.
    private static void Request(MemoryEngine engine, Charge parent, Charge[] children, int thread, long now, ref int allowed, ref int refused)
    {
        var random = new Random(thread);
        var decisions = new Decision[8];
        for (var i = 0; i < 15_000; i++)
        {
            var charges = Enumerable.Range(0, 1 + random.Next(4)).Select(_ => children[random.Next(Children)] with { Cost = 1 + random.Next(2) }).ToList();
            charges.Insert(random.Next(charges.Count + 1), parent with { Cost = charges.Sum(c => c.Cost) });
            if (engine.Decide(charges.ToArray(), decisions, now).IsAllowed)
                Interlocked.Increment(ref allowed);
            else
                Interlocked.Increment(ref refused);
            if (i % 100 == 0)
                engine.Sweep();
        }
    }

    private static Charge Child(int i) =>
        new(RuleOf((AlgorithmKind)(i % 5), 1_000 + (i * 100)), new CounterId((ulong)i << 60, ((ulong)i << 1) | 1), 0, CounterLabel.OfKey($"child{i}"));

    private static Rule RuleOf(AlgorithmKind algorithm, long permits) =>
        Rule.Create(new RuleOptions { Algorithm = algorithm, Permits = permits, Window = TimeSpan.FromHours(1) });
}
