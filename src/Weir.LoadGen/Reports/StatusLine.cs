using Weir.LoadGen.Measuring;
using Weir.LoadGen.Profiles;

namespace Weir.LoadGen.Reports;

/// <summary>The line that a run prints every ten seconds where there is no terminal: one line, no colours, the same words in the same order.</summary>
internal static class StatusLine
{
    /// <summary>What happened in an interval.</summary>
    /// <param name="interval">Its figures.</param>
    /// <param name="parts">The points of the timeline in it: what phase it was.</param>
    /// <param name="inFlight">Requests without an answer now.</param>
    /// <param name="maxInFlight">How many may be.</param>
    /// <param name="isClosed">Whether a rate was asked for at all.</param>
    public static string Of(TimelinePoint interval, IReadOnlyCollection<TimelinePoint> parts, int inFlight, int maxInFlight, bool isClosed)
    {
        var asked = isClosed ? "" : $"asked {Rate(parts.Sum(static p => p.Asked), interval)}/s  ";
        return $"[{Figures.Clock(interval.End + 0.5)}] {PhaseOf(parts),-11} {asked}sent {Rate(interval.Sent, interval)}/s  allowed {Rate(interval.Allowed, interval)}/s  "
            + $"limited {Rate(interval.Limited, interval)}/s  failed {interval.Failed:N0}  skipped {interval.Skipped:N0}  in flight {inFlight}/{maxInFlight}  "
            + $"p50 {Figures.Time(interval.P50)}  p99 {Figures.Time(interval.P99)}  max {Figures.Time(interval.Greatest)}";
    }

    // The phase that took most of the time; of two that took the same, the less ordinary one.
    private static string PhaseOf(IReadOnlyCollection<TimelinePoint> parts)
    {
        if (parts.Count == 0)
            return NameOf(Phase.Steady);
        var whole = parts.Sum(static p => p.Length);
        var longest = parts.GroupBy(static p => p.Phase).Select(static g => (Phase: g.Key, Length: g.Sum(static p => p.Length)))
            .OrderByDescending(static g => Math.Round(g.Length)).ThenByDescending(static g => g.Phase != Phase.Steady).First();
        var share = Math.Round(100 * longest.Length / whole);
        return share >= 100 ? NameOf(longest.Phase) : $"{NameOf(longest.Phase)} {share:0}%";
    }

    /// <summary>The word for a phase.</summary>
    public static string NameOf(Phase phase) => phase switch { Phase.Burst => "BURST", Phase.Ramp => "RAMP", _ => "STEADY" };

    private static string Rate(double count, TimelinePoint interval) => interval.Length > 0 ? Figures.Rate(count / interval.Length) : "0";
}
