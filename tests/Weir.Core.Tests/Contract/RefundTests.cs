using System.Numerics;
using Weir.TestKit;

namespace Weir.Core.Tests.Contract;

/// <summary>
/// Giving back by stamp never breaks a promise: of what was really used, whatever was charged, given back in parts and when, no more than the rule
/// allows falls into any interval.
/// </summary>
public class RefundTests
{
    private const int Schedules = 1_500;
    private const int Longest = 60;

    private static readonly StepKind[] Kinds = [StepKind.Take, StepKind.Take, StepKind.Take, StepKind.Settle, StepKind.Settle, StepKind.Advance];

    private sealed class Use(long at, long stamp, int cost)
    {
        public long At { get; } = at;

        public long Stamp { get; } = stamp;

        public int Kept { get; set; } = cost;
    }

    public static TheoryData<AlgorithmKind, string> Table => Engines.TimesAlgorithms();

    [Theory]
    [MemberData(nameof(Table))]
    public void WhatWasUsed_KeepsThePromise(AlgorithmKind algorithm, string engine)
    {
        var givenBack = 0L;
        Properties.Holds(Schedules, Longest, Kinds, trace =>
        {
            using var tested = Engines.Create(engine);
            var rule = SmallRule(algorithm, trace.Seed);
            var uses = Play(tested, rule, trace.Steps, ref givenBack);
            AssertPromise(rule, [.. uses.Where(u => u.Kept > 0)]);
        });
        Assert.True(givenBack > Schedules, $"Only {givenBack} permits were given back.");
    }

    // Charges of a bucket of 10 that refills one permit a second, each made on top of 9 others that are given back at once. Judged by how full the bucket was when
    // they were made, all ten could be given back nine seconds later, though time has refilled them by then.
    [Fact]
    public void TokenBucket_LateRefundsOfChargesMadeHighInTheBucket_AreNotGivenBackTwice()
    {
        using var engine = new MemoryTestEngine();
        var rule = Rule.Create(new RuleOptions { Algorithm = AlgorithmKind.TokenBucket, Permits = 10, Window = TimeSpan.FromSeconds(10) });
        var steps = new List<(int Cost, long Stamp)>();
        for (var room = 10; room > 0; room--)
        {
            var filler = Take(engine, rule, room - 1);
            steps.Add((1, Take(engine, rule, 1)));
            Settle(engine, rule, room - 1, filler, 0);
        }
        engine.AdvanceTo(engine.NowMicros + 9_000_000);
        Take(engine, rule, 9);
        Assert.Equal(0, steps.Sum(s => Settle(engine, rule, s.Cost, s.Stamp, 0)));
        Assert.False(Decide(engine, rule, 1).IsAllowed);
    }

    private static Rule SmallRule(AlgorithmKind algorithm, int seed)
    {
        var random = new Random(seed);
        var permits = 1 + random.Next(12);
        return Rule.Create(new RuleOptions
        {
            Algorithm = algorithm,
            Permits = permits,
            Window = TimeSpan.FromMilliseconds(100 * (1 + random.Next(10))),
            Burst = algorithm == AlgorithmKind.TokenBucket ? 1 + random.Next(12) : null,
        });
    }

    private static List<Use> Play(TestEngine engine, Rule rule, Step[] steps, ref long givenBack)
    {
        var uses = new List<Use>();
        foreach (var step in steps)
        {
            if (step.Kind == StepKind.Take)
            {
                var cost = 1 + (step.A % (int)rule.Burst);
                var decision = Decide(engine, rule, cost);
                if (decision.IsAllowed)
                    uses.Add(new Use(engine.NowMicros, decision.Stamp, cost));
            }
            else if (step.Kind == StepKind.Advance)
            {
                engine.AdvanceTo(engine.NowMicros + (step.A % 4 == 0 ? rule.WindowMicros - (step.B % 2) : step.B % (rule.WindowMicros / 3)));
            }
            else if (uses.Count > 0)
            {
                // Mostly the recent ones, whole or in part.
                var use = uses[Math.Max(0, uses.Count - 1 - (step.A % 6))];
                var actual = step.B % 3 == 0 ? use.Kept / 2 : 0;
                givenBack += Settle(engine, rule, use.Kept, use.Stamp, actual);
                use.Kept = actual;
            }
        }
        return uses;
    }

    private static void AssertPromise(Rule rule, Use[] uses)
    {
        if (rule.Algorithm == AlgorithmKind.TokenBucket)
        {
            AssertBucket(rule, uses);
            return;
        }
        foreach (var use in uses)
        {
            var from = rule.Algorithm is AlgorithmKind.SlidingWindow or AlgorithmKind.Concurrency ? use.At - rule.WindowMicros + 1 : use.At - (use.At % rule.WindowMicros);
            var inWindow = uses.Where(u => u.At >= from && u.At <= use.At).Sum(u => u.Kept);
            Assert.True(inWindow <= rule.Permits, $"{inWindow} of {rule} were used from {from} to {use.At}.");
        }
    }

    // Every interval that begins and ends with a use, by brute force.
    private static void AssertBucket(Rule rule, Use[] uses)
    {
        for (var first = 0; first < uses.Length; first++)
        {
            BigInteger used = 0;
            for (var last = first; last < uses.Length; last++)
            {
                used += uses[last].Kept;
                var allowed = (rule.Burst * (BigInteger)rule.WindowMicros) + ((BigInteger)rule.Permits * (uses[last].At - uses[first].At));
                Assert.True(used * rule.WindowMicros <= allowed, $"{used} of {rule}, burst {rule.Burst}, were used from {uses[first].At} to {uses[last].At}.");
            }
        }
    }

    private static long Take(TestEngine engine, Rule rule, int cost)
    {
        var decision = Decide(engine, rule, cost);
        Assert.True(decision.IsAllowed);
        return decision.Stamp;
    }

    private static Decision Decide(TestEngine engine, Rule rule, int cost) =>
        engine.Limiter.DecideAsync(new Charge(rule, new CounterId(1, 2), cost, default)).AsTask().GetAwaiter().GetResult();

    private static long Settle(TestEngine engine, Rule rule, int cost, long stamp, int actual) =>
        engine.Limiter.SettleAsync(new Charge(rule, new CounterId(1, 2), cost, default), stamp, actual).AsTask().GetAwaiter().GetResult();
}
