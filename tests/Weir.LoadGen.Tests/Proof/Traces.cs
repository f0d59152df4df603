using Weir.LoadGen.Proof;
using Weir.LoadGen.Sending;

namespace Weir.LoadGen.Tests.Proof;

/// <summary>Makes traces by hand: milliseconds instead of nanoseconds, and nothing that a test does not need.</summary>
internal static class Traces
{
    public const long Ms = 1_000_000;

    public static Observation Admitted(double sentMs, double answeredMs, int remaining = Told.Unsaid, int target = 0) =>
        new(Nanos(sentMs), Nanos(answeredMs), new Told(Told.Unsaid, remaining, Told.Unsaid), (ushort)target, Verdict.Admitted);

    public static Observation Refused(double sentMs, double answeredMs, int retryAfter = Told.Unsaid, int remaining = Told.Unsaid) =>
        new(Nanos(sentMs), Nanos(answeredMs), new Told(Told.Unsaid, remaining, retryAfter), 0, Verdict.Refused);

    public static Observation Unknown(double sentMs) => new(Nanos(sentMs), long.MaxValue, Told.Nothing, 0, Verdict.Unknown);

    public static KeyTrace Of(params Observation[] observations) => Of(true, observations);

    public static KeyTrace Of(bool fresh, params Observation[] observations) => new("alice", fresh, [.. observations.OrderBy(static o => o.SentNanos)]);

    public static Promise Promise(string text) => LoadGen.Proof.Promise.TryParse(text) ?? throw new ArgumentException(text, nameof(text));

    private static long Nanos(double ms) => (long)(ms * Ms);
}
