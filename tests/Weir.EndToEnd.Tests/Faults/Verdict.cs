using Weir.EndToEnd.Tests.Fleets;

namespace Weir.EndToEnd.Tests.Faults;

/// <summary>How long callers waited while something went wrong, and how long it took until it was over.</summary>
internal sealed class Verdict
{
    private const double DeadlineMilliseconds = 20;
    private const double RecoveryMilliseconds = 2_000;

    private readonly List<double> _took;
    private readonly List<double> _control;
    private readonly List<double> _late;
    private readonly double _recovery;

    /// <summary>Draws the sum.</summary>
    /// <param name="trips">All requests for decisions.</param>
    /// <param name="control">Requests in between that need no decision.</param>
    /// <param name="late">By how many milliseconds timers were late meanwhile, ascending.</param>
    /// <param name="mendedAt">When Redis was well again; 0 where it never was otherwise.</param>
    /// <param name="showsHealth">Whether answers of a tally come from Redis when they are not degraded: refusals are remembered, and say nothing.</param>
    public Verdict(List<Trip> trips, List<Trip> control, List<double> late, long mendedAt, Predicate<Tally> showsHealth)
    {
        _took = [.. trips.Select(static t => t.Milliseconds).Order()];
        _control = [.. control.Select(static t => t.Milliseconds).Order()];
        _late = late;
        Degraded = trips.Count(static t => t.Fate is Fate.DegradedAllowed or Fate.DegradedRefused);
        _recovery = mendedAt == 0 ? 0 : trips.Where(t => t.Asked >= mendedAt && t.Fate == Fate.Allowed && showsHealth(t.Tally))
            .GroupBy(static t => t.Node).Max(g => TimeProvider.System.GetElapsedTime(mendedAt, g.Min(static t => t.Answered)).TotalMilliseconds);
    }

    /// <summary>How many answers were degraded.</summary>
    public int Degraded { get; }

    /// <summary>
    /// Callers were answered within the deadline, and nodes recovered in time: on this machine, on which calls without a decision, and timers, take as long as they do.
    /// </summary>
    public void AssertInTime()
    {
        Assert.True(
            At(_took, 0.99) <= DeadlineMilliseconds + At(_control, 0.99) + At(_late, 0.99)
                && At(_took, 1) <= DeadlineMilliseconds + (2 * (At(_control, 1) + At(_late, 1))),
            $"answers came too late: {this}");
        Assert.True(_recovery <= RecoveryMilliseconds + (10 * (At(_control, 1) + At(_late, 1))), $"recovery took too long: {this}");
    }

    public override string ToString() =>
        $"{_took.Count} answers, {Degraded} degraded; {Of(_took)}; without a decision {Of(_control)}; timers late by {Of(_late)}; recovery {_recovery:0} ms";

    private static string Of(List<double> sorted) => $"p50 {At(sorted, 0.5):0.0} ms, p99 {At(sorted, 0.99):0.0} ms, longest {At(sorted, 1):0.0} ms";

    private static double At(List<double> sorted, double part) => sorted[(int)Math.Min(sorted.Count - 1, part * sorted.Count)];
}
