using Weir.LoadGen.Configuration;
using Weir.LoadGen.Measuring;
using Weir.LoadGen.Profiles;
using Weir.LoadGen.Proof;
using Weir.LoadGen.Running;
using Weir.LoadGen.Scheduling;
using Weir.LoadGen.Sending;

namespace Weir.LoadGen.Tests.Reports;

/// <summary>Makes runs that never were, for reports to tell of.</summary>
internal static class Runs
{
    private const long Ms = 1_000_000;

    /// <summary>Ten seconds with one burst over two targets: 80 allowed, 120 limited, ten failed, three skipped.</summary>
    public static RunResult Make(Promise? promise = null, params Finding[] findings)
    {
        var (config, problems) = LoadGen.Tests.Configuration.ConfigTests.Create("targets=http://a:8001,http://b:8002|rps=20|duration=10|burst-multiplier=2|burst-interval=6|burst-duration=2|key-prefix=<k>");
        Assert.Empty(problems);
        var targets = config!.Targets.Select(static t => new Target(t, null)).ToList();
        var stats = new RunStats(2);
        using var timeline = new Timeline(stats, config.Profile, static () => 3);
        for (var second = 1; second <= 10; second++)
        {
            var phase = second is 7 or 8 ? Phase.Burst : Phase.Steady;
            Answer(stats, 8, phase, 200, Failure.None, second * Ms);
            Answer(stats, 12, phase, 429, Failure.None, 2 * second * Ms);
            Answer(stats, 1, phase, second % 2 == 0 ? 503 : 0, second % 2 == 0 ? Failure.Status : Failure.Timeout, 900 * Ms);
            if (second > 7)
                stats.Skipped(new Departure(0, 0, phase));
            timeline.Sample(second);
        }
        var counts = findings.GroupBy(static f => f.Fault).ToDictionary(static g => g.Key, static g => (long)g.Count());
        return new RunResult(config, targets, new DateTimeOffset(2026, 11, 20, 12, 0, 0, TimeSpan.Zero), 10, 240, stats, timeline.Points)
        {
            Proof = promise is null ? null : new ProofResult(promise, findings, counts) { Keys = 10, Admitted = 80, Refused = 120, Fullest = 9, BlindSpot = 2, Notes = ["A note about <this> run."] },
            Thresholds = [new ThresholdResult("max-p99", "at most 5.00 ms", "901 ms", false), new ThresholdResult("min-rate", "at least 10/s", "20/s", true)],
        };
    }

    public static Finding TooMuch(string key) => new(Fault.OverAdmitted, key, new Bracket(1_000 * Ms, 1_500 * Ms), "11 admitted within 500ms, where 10 are allowed in 1s") { ByTarget = [6, 5] };

    private static void Answer(RunStats stats, int times, Phase phase, int status, Failure failure, long nanos)
    {
        for (var i = 0; i < times; i++)
        {
            var outcome = status == 200 ? Sending.Outcome.Allowed : status == 429 ? Sending.Outcome.Limited : Sending.Outcome.Failed;
            var trip = new Trip { Departure = new Departure(i, 0, phase), Target = i % 2, SentNanos = Ms / 10, DoneNanos = nanos, Status = status, Outcome = outcome, Failure = failure };
            stats.Left(trip);
            stats.Came(trip);
        }
    }
}
