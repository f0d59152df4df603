using Weir.LoadGen.Configuration;
using Weir.LoadGen.Measuring;
using Weir.LoadGen.Proof;
using Weir.LoadGen.Reports;
using Weir.LoadGen.Scheduling;
using Weir.LoadGen.Sending;

namespace Weir.LoadGen.Running;

/// <summary>One run from the first request to the last answer.</summary>
internal sealed class LoadRun(LoadConfig config, IReadOnlyList<Target> targets, Expectation? expectation, TimeProvider time)
{
    // Couriers and connections' pools are made while the clock stands below 0.
    private static readonly TimeSpan Head = TimeSpan.FromMilliseconds(50);

    /// <summary>Sends, watches, waits for the answers, and judges.</summary>
    /// <param name="console">Where to show what happens.</param>
    /// <param name="stop">Stops sending; what is in flight is awaited all the same.</param>
    /// <param name="abort">Gives up.</param>
    public async Task<RunResult> RunAsync(LoadConsole console, CancellationToken stop, CancellationToken abort)
    {
        var stats = new RunStats(targets.Count);
        var proof = expectation is null ? null : new ProofLog(config.Keys.Count);
        var clock = new RunClock(time, Head);
        using var depot = new Depot(targets, config.Sending, clock, stats, proof);
        using var timeline = new Timeline(stats, config.Profile, () => depot.InFlight);
        var view = ViewOf(console, stats, depot);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(abort);
        var watching = new RunWatch(clock, timeline, config.Profile, view).RunAsync(over.Token);
        try
        {
            await OwnThread.RunAsync(() => Send(clock, depot, stop));
            var seconds = Math.Max(0, clock.Seconds);
            view.Drain(depot.InFlight, stop.IsCancellationRequested);
            await depot.CloseAsync().WaitAsync(abort);
            await over.CancelAsync();
            await watching;
            return Judged(new RunResult(config, targets, clock.StartedAt, seconds, AskedBy(seconds), stats, timeline.Points) { WasStopped = stop.IsCancellationRequested }, proof);
        }
        finally
        {
            view.End();
        }
    }

    private void Send(RunClock clock, Depot depot, CancellationToken stop)
    {
        if (config.IsClosed)
            new ClosedLoop(config.Profile.Duration, clock, Pause.Create(), depot).Run(stop);
        else
            new OpenLoop(config.Profile, clock, Pause.Create(), depot, config.WhenFull).Run(stop);
    }

    private IRunView ViewOf(LoadConsole console, RunStats stats, Depot depot) => console.Terminal is null || config.NoLive
        ? new LineView(stats, () => depot.InFlight, config.Sending.MaxInFlight, config.IsClosed, console.Output)
        : new LiveView(config, targets, stats, () => depot.InFlight, console);

    private long AskedBy(double seconds)
    {
        using var plan = new Profiles.PlanReader(config.Profile);
        plan.MoveTo(seconds);
        // The k-th request is due where the integral reaches k, the first one at once.
        return config.IsClosed ? 0 : (long)Math.Ceiling(plan.Due - 1e-6);
    }

    private RunResult Judged(RunResult run, ProofLog? proof)
    {
        if (expectation is not null && proof is not null)
            run = run with { Proof = new Judge(expectation, run.StartedAt).Decide(proof, config.Keys.Name, config.Keys.AreFresh) };
        return run with { Thresholds = ThresholdCheck.Of(run) };
    }
}
