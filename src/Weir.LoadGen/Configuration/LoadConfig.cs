using Weir.LoadGen.Keys;
using Weir.LoadGen.Profiles;
using Weir.LoadGen.Proof;
using Weir.LoadGen.Scheduling;
using Weir.LoadGen.Sending;

namespace Weir.LoadGen.Configuration;

/// <summary>Everything that a run needs, checked. Immutable.</summary>
internal sealed class LoadConfig
{
    public required IReadOnlyList<Uri> Targets { get; init; }

    public bool EachAddress { get; init; }

    public bool Preflight { get; init; }

    /// <summary>What is asked for; in a closed loop only its duration matters.</summary>
    public required Profile Profile { get; init; }

    public bool IsClosed { get; init; }

    public WhenFull WhenFull { get; init; }

    public required SendOptions Sending { get; init; }

    /// <summary>What to prove; null for nothing, or when <see cref="ExpectRules"/> says to ask.</summary>
    public Promise? Expect { get; init; }

    public bool ExpectRules { get; init; }

    public long? ClockOffsetNanos { get; init; }

    public Thresholds Thresholds { get; init; } = new(null, null, null);

    public ReportFiles Files { get; init; } = new(null, null, null);

    public bool NoLive { get; init; }

    /// <summary>Whether to print the plan and send nothing.</summary>
    public bool DryRun { get; init; }

    /// <summary>What was given and has no effect, and what may surprise. To be told before anything is sent.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    public KeySource Keys => Sending.Keys;

    /// <summary>Checks everything that was given.</summary>
    /// <param name="options">What was given.</param>
    /// <param name="problems">Every problem is told here, by name, value and cure.</param>
    /// <returns>Null when there is a problem.</returns>
    public static LoadConfig? TryCreate(LoadOptions options, ICollection<string> problems) => new ConfigReader(options, problems).TryRead();
}

/// <summary>What a run must reach to be a success.</summary>
/// <param name="MaxP99Nanos">Longest 99th percentile of the response time.</param>
/// <param name="MaxFailureShare">Most failures, as a share of what was sent.</param>
/// <param name="MinRate">Least answers a second.</param>
internal sealed record Thresholds(long? MaxP99Nanos, double? MaxFailureShare, RateGoal? MinRate);

/// <summary>A rate, or a share of the asked one.</summary>
internal sealed record RateGoal(double Value, bool IsShare);

/// <summary>Where reports go.</summary>
internal sealed record ReportFiles(string? Json, string? Html, string? Csv)
{
    public IEnumerable<(string Setting, string Path)> All =>
        new[] { ("json", Json), ("html", Html), ("csv", Csv) }.Where(static f => f.Item2 is not null).Select(static f => (f.Item1, f.Item2!));
}
