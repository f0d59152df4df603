using Weir.TestKit;

namespace Weir.Core.Tests.Contract;

/// <summary>What a decision promises about later ones, checked on the engine alone, without any model.</summary>
public class PromiseTests
{
    private const int Traces = 100;

    private static readonly StepKind[] Kinds = [StepKind.Take, StepKind.Take, StepKind.Take, StepKind.Advance];

    public static TheoryData<AlgorithmKind, string> Table => Engines.TimesAlgorithms();

    [Theory]
    [MemberData(nameof(Table))]
    public void Refused_OneMicrosecondBeforeTheRetry_AllowedAtIt(AlgorithmKind algorithm, string engine)
    {
        var refusals = 0;
        OnUsedCounters(algorithm, engine, (tested, rule) =>
        {
            var cost = (int)Math.Min(rule.Burst, RuleBounds.MaxCost);
            var refused = Decide(tested, rule, cost);
            if (refused.Outcome != Outcome.Refused || refused.RetryAfterMicros > RuleBounds.MaxWindowMicros)
                return;
            refusals++;
            var retry = tested.NowMicros + refused.RetryAfterMicros;
            tested.AdvanceTo(retry - 1);
            Assert.Equal(Outcome.Refused, Decide(tested, rule, cost).Outcome);
            tested.AdvanceTo(retry);
            Assert.True(Decide(tested, rule, cost).IsAllowed);
        });
        Assert.True(refusals > Traces / 4, $"Only {refusals} of {Traces} requests were refused.");
    }

    [Theory]
    [MemberData(nameof(Table))]
    public void AtTheReset_TheWholeLimitIsThere_AndNotBefore(AlgorithmKind algorithm, string engine) =>
        OnUsedCounters(algorithm, engine, (tested, rule) =>
        {
            var look = Decide(tested, rule, 0);
            if (look.ResetMicros is 0 or > RuleBounds.MaxWindowMicros)
                return;
            var reset = tested.NowMicros + look.ResetMicros;
            tested.AdvanceTo(reset - 1);
            Assert.Equal(1, Decide(tested, rule, 0).ResetMicros);
            tested.AdvanceTo(reset);
            Assert.Equal((0, rule.Burst), (Decide(tested, rule, 0).ResetMicros, Decide(tested, rule, 0).Remaining));
        });

    [Theory]
    [MemberData(nameof(Table))]
    public void RefusalsAndLooks_ChangeNothing(AlgorithmKind algorithm, string engine) =>
        OnUsedCounters(algorithm, engine, (tested, rule) =>
        {
            var before = Decide(tested, rule, 0);
            foreach (var cost in new[] { 0, 1, (int)Math.Min(rule.Burst, RuleBounds.MaxCost), RuleBounds.MaxCost })
            {
                if (cost == 0 || cost > before.Remaining)
                    _ = Decide(tested, rule, cost);
            }
            Assert.Equal(before, Decide(tested, rule, 0));
        });

    [Theory]
    [MemberData(nameof(Table))]
    public void AsMuchAsRemains_IsAllowed_AndOneMoreIsNot(AlgorithmKind algorithm, string engine) =>
        OnUsedCounters(algorithm, engine, (tested, rule) =>
        {
            var remaining = Decide(tested, rule, 0).Remaining;
            if (remaining >= RuleBounds.MaxCost)
                return;
            Assert.NotEqual(Outcome.Allowed, Decide(tested, rule, (int)remaining + 1).Outcome);
            if (remaining > 0)
                Assert.True(Decide(tested, rule, (int)remaining).IsAllowed);
        });

    [Theory]
    [MemberData(nameof(Table))]
    public void CostAboveTheLimit_NeverFits(AlgorithmKind algorithm, string engine) =>
        OnUsedCounters(algorithm, engine, (tested, rule) =>
        {
            if (rule.Burst >= RuleBounds.MaxCost)
                return;
            var never = Decide(tested, rule, (int)rule.Burst + 1);
            Assert.Equal((Outcome.NeverFits, 0L), (never.Outcome, never.RetryAfterMicros));
        });

    private static void OnUsedCounters(AlgorithmKind algorithm, string engine, Action<TestEngine, Rule> check) =>
        Properties.Holds(Traces, 20, Kinds, trace =>
        {
            using var tested = Engines.Create(engine);
            var rule = RandomRules.Of(algorithm, trace.Seed);
            foreach (var step in trace.Steps)
            {
                if (step.Kind == StepKind.Take)
                    _ = Decide(tested, rule, 1 + (int)(step.A % Math.Clamp(rule.Burst, 1, RuleBounds.MaxCost)));
                else
                    tested.AdvanceTo(tested.NowMicros + (step.B % Math.Max(2, rule.WindowMicros / 4)));
            }
            check(tested, rule);
        });

    private static Decision Decide(TestEngine engine, Rule rule, int cost) =>
        engine.Limiter.DecideAsync(new Charge(rule, new CounterId(3, 4), cost, default)).AsTask().GetAwaiter().GetResult();
}
