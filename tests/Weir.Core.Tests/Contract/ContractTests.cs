using Weir.TestKit;

namespace Weir.Core.Tests.Contract;

/// <summary>
/// Every algorithm on every engine answers as its reference model does: outcome, remaining, reset and retry, to the microsecond, whatever
/// happened before.
/// </summary>
public class ContractTests
{
    private static readonly int Traces = int.Parse(Environment.GetEnvironmentVariable("WEIR_TRACES") ?? "60");
    private const int Longest = 90;

    private static readonly StepKind[] Deciding =
    [
        StepKind.Take, StepKind.Take, StepKind.Take, StepKind.Take, StepKind.Look, StepKind.Advance, StepKind.Advance, StepKind.Boundary,
        StepKind.Boundary, StepKind.Suspend, StepKind.Tidy,
    ];

    private static readonly StepKind[] Correcting = [.. Deciding, StepKind.Settle, StepKind.Settle, StepKind.SettleUnstamped, StepKind.Renew, StepKind.Reset];

    private static readonly StepKind[] Everything = [.. Correcting, StepKind.Many, StepKind.Many, StepKind.Many, StepKind.ChangeRule, StepKind.List];

    public static TheoryData<AlgorithmKind, string> Table => Engines.TimesAlgorithms();

    [Theory]
    [MemberData(nameof(Table))]
    public void Decisions_EqualTheModels(AlgorithmKind algorithm, string engine) => Check(engine, algorithm, Deciding, otherRules: 0);

    [Theory]
    [MemberData(nameof(Table))]
    public void SettleRenewAndReset_EqualTheModels(AlgorithmKind algorithm, string engine) => Check(engine, algorithm, Correcting, otherRules: 0);

    [Theory]
    [MemberData(nameof(Table))]
    public void RequestsWithSeveralLimits_EqualTheModels(AlgorithmKind algorithm, string engine) =>
        Check(engine, algorithm, [StepKind.Many, StepKind.Many, StepKind.Take, StepKind.Advance, StepKind.Boundary, StepKind.Settle], otherRules: 3);

    [Theory]
    [MemberData(nameof(Table))]
    public void ChangedRules_EqualTheModels(AlgorithmKind algorithm, string engine) =>
        Check(engine, algorithm, [.. Correcting, StepKind.ChangeRule, StepKind.ChangeRule], otherRules: 0);

    [Theory]
    [MemberData(nameof(Table))]
    public void Everything_EqualsTheModels(AlgorithmKind algorithm, string engine) => Check(engine, algorithm, Everything, otherRules: 2);

    [Theory]
    [MemberData(nameof(Table))]
    public void InstantsOutOfOrder_EqualTheModels(AlgorithmKind algorithm, string engine) =>
        Properties.Holds(Traces, Longest, [StepKind.Take, StepKind.Stale, StepKind.Stale, StepKind.Settle, StepKind.Boundary], trace =>
        {
            using var tested = Engines.Create(engine);
            new ContractRun(tested, RandomRules.Of(algorithm, trace.Seed, shortWindows: true)).WithoutTimers().Play(trace.Steps);
        });

    private static void Check(string engine, AlgorithmKind algorithm, StepKind[] kinds, int otherRules) =>
        Properties.Holds(Traces, Longest, kinds, trace =>
        {
            using var tested = Engines.Create(engine);
            var others = Enumerable.Range(1, otherRules).Select(i => RandomRules.Of((AlgorithmKind)((trace.Seed + i) % 5), trace.Seed + i));
            new ContractRun(tested, [RandomRules.Of(algorithm, trace.Seed), .. others]).Play(trace.Steps);
        });
}
