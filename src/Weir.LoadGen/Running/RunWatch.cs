using Weir.LoadGen.Measuring;
using Weir.LoadGen.Profiles;
using Weir.LoadGen.Scheduling;

namespace Weir.LoadGen.Running;

/// <summary>Looks at a run while it goes: takes a point of the timeline every second, and tells a view what it sees.</summary>
internal sealed class RunWatch(RunClock clock, Timeline timeline, Profile profile, IRunView view)
{
    private const double PointSeconds = 1;

    /// <summary>Looks until told that the run is over, and once more then.</summary>
    public async Task RunAsync(CancellationToken over)
    {
        using var plan = new PlanReader(profile);
        var nextPoint = PointSeconds;
        for (var tick = 1L; !over.IsCancellationRequested; tick++)
        {
            await UntilAsync(tick * view.RefreshSeconds, over);
            var now = Math.Max(0, clock.Seconds);
            if (over.IsCancellationRequested)
                break;
            if (now >= nextPoint)
            {
                view.Show(timeline.Sample(now));
                // Late or not, points stay on whole seconds.
                nextPoint = Math.Floor(now / PointSeconds + 1) * PointSeconds;
            }
            plan.MoveTo(now);
            view.Show(now, plan.Rate, plan.Phase);
        }
        view.Show(timeline.Sample(Math.Max(clock.Seconds, 1e-9)));
    }

    private async Task UntilAsync(double seconds, CancellationToken over)
    {
        // Timers count in milliseconds and may be a part of one early.
        while (seconds - clock.Seconds is var left && left > 0 && !over.IsCancellationRequested)
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Ceiling(left * 1_000)), over).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}

/// <summary>Shows a run while it goes.</summary>
internal interface IRunView
{
    /// <summary>How often it wants to be shown how things stand; no more than a second.</summary>
    double RefreshSeconds { get; }

    /// <summary>A second is over.</summary>
    void Show(TimelinePoint point);

    /// <summary>How things stand.</summary>
    /// <param name="seconds">Since the start.</param>
    /// <param name="rate">What is asked for now.</param>
    /// <param name="phase">What the load does now.</param>
    void Show(double seconds, double rate, Phase phase);

    /// <summary>Nothing is sent any more; answers are awaited.</summary>
    void Drain(int inFlight, bool stopped);

    /// <summary>The run is over, or given up: leaves the terminal as it was.</summary>
    void End();
}
