using Weir.Redis.Tests.Fleets;

namespace Weir.Redis.Tests.Faults;

/// <summary>What happened to callers while something went wrong.</summary>
/// <param name="Answers">All answers.</param>
/// <param name="Recovery">How long nodes took to decide again.</param>
/// <param name="Late">By how many milliseconds timers were late meanwhile, ascending.</param>
internal sealed record Verdict(List<Answer> Answers, TimeSpan Recovery, List<double> Late)
{
    private readonly List<double> _took = [.. Answers.Select(static a => a.Milliseconds).Order()];

    public int Degraded => Answers.Count(static a => a.IsDegraded);

    /// <summary>Milliseconds that a part of the answers took at most.</summary>
    public double Percentile(double part) => At(_took, part);

    /// <summary>Milliseconds that a part of the timers were late at most.</summary>
    public double LatePercentile(double part) => At(Late, part);

    public override string ToString() =>
        $"{Answers.Count} answers, {Degraded} degraded; p50 {Percentile(0.5):0.0} ms, p99 {Percentile(0.99):0.0} ms, longest {Percentile(1):0.0} ms; "
        + $"timers late by p99 {LatePercentile(0.99):0.0} ms, longest {LatePercentile(1):0.0} ms; recovery {Recovery.TotalMilliseconds:0} ms";

    private static double At(List<double> sorted, double part) => sorted[(int)Math.Min(sorted.Count - 1, part * sorted.Count)];
}
