using Weir.LoadGen.Configuration;
using Weir.LoadGen.Measuring;
using Weir.LoadGen.Proof;
using Weir.LoadGen.Sending;

namespace Weir.LoadGen.Running;

/// <summary>Everything that reports tell of a run that is over.</summary>
/// <param name="Config">What was asked for.</param>
/// <param name="Targets">Where requests went.</param>
/// <param name="StartedAt">The time of day of the first request.</param>
/// <param name="Seconds">How long requests were sent.</param>
/// <param name="Asked">Requests that fell due in that time.</param>
/// <param name="Stats">What happened.</param>
/// <param name="Points">What happened when.</param>
internal sealed record RunResult(LoadConfig Config, IReadOnlyList<Target> Targets, DateTimeOffset StartedAt, double Seconds, long Asked, RunStats Stats,
    IReadOnlyList<TimelinePoint> Points)
{
    /// <summary>Whether the run was stopped before its time.</summary>
    public bool WasStopped { get; init; }

    /// <summary>What the proof found out; null when nothing was to be proved.</summary>
    public ProofResult? Proof { get; init; }

    /// <summary>Thresholds and how the run stands to them.</summary>
    public IReadOnlyList<ThresholdResult> Thresholds { get; init; } = [];

    /// <summary>Requests sent a second.</summary>
    public double SentRate => Seconds > 0 ? Stats.Sent / Seconds : 0;

    /// <summary>Requests a second that were answered as a limiter should.</summary>
    public double AnsweredRate => Seconds > 0 ? Stats.Outcomes.Answered / Seconds : 0;

    /// <summary>Failures as a share of what was sent.</summary>
    public double FailureShare => Stats.Sent == 0 ? 0 : (double)Stats.Outcomes.Failed / Stats.Sent;

    /// <summary>Whether the run is a success: every threshold holds, the promise was kept, and somebody answered at all.</summary>
    public bool IsSuccess => Thresholds.All(static t => t.Held) && Proof is not { IsKept: false } && (Stats.Outcomes.Answered > 0 || Stats.Sent == 0);
}

/// <summary>How a run stands to a threshold.</summary>
/// <param name="Name">The setting's name.</param>
/// <param name="Bound">What was asked for, in words.</param>
/// <param name="Reached">What was measured, in words.</param>
/// <param name="Held">Whether it is enough.</param>
internal sealed record ThresholdResult(string Name, string Bound, string Reached, bool Held);
