using Weir.LoadGen.Reports;

namespace Weir.LoadGen.Running;

/// <summary>Compares a run with what it had to reach.</summary>
internal static class ThresholdCheck
{
    /// <summary>The thresholds that were set.</summary>
    public static List<ThresholdResult> Of(RunResult run)
    {
        var (asked, results) = (run.Config.Thresholds, new List<ThresholdResult>());
        if (asked.MaxP99Nanos is { } p99)
        {
            var reached = run.Stats.Latency.Response.Quantile(0.99);
            // Without an answer there is no latency, and nothing that could have been fast enough.
            var any = run.Stats.Latency.Response.Count > 0;
            results.Add(new ThresholdResult("max-p99", $"at most {Figures.Time(p99)}", any ? Figures.Time(reached) : "no answer", any && reached <= p99));
        }
        if (asked.MaxFailureShare is { } share)
            results.Add(new ThresholdResult("max-failure-rate", $"at most {Figures.Share(share)}", Figures.Share(run.FailureShare), run.FailureShare <= share && run.Stats.Sent > 0));
        if (asked.MinRate is { } goal)
        {
            var least = goal.IsShare ? goal.Value * run.Asked / Math.Max(run.Seconds, 1e-9) : goal.Value;
            results.Add(new ThresholdResult("min-rate", $"at least {Figures.Rate(least)}/s", $"{Figures.Rate(run.AnsweredRate)}/s", run.AnsweredRate >= least));
        }
        return results;
    }
}
