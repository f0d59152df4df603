using System.Numerics;

namespace Weir;

/// <summary>Checks a rule's options and says everything that is wrong with them at once.</summary>
internal static class RuleValidator
{
    private const int MaxNameLength = 128;

    public static void Validate(RuleOptions options, ICollection<string> problems)
    {
        var prefix = $"Rule '{options.Name}'";
        CheckNames(options, prefix, problems);
        if (options.Unlimited)
            return;
        CheckPermits(options, prefix, problems);
        if (options.Calendar is null)
            CheckWindow(options, prefix, problems);
        CheckBurst(options, prefix, problems);
        CheckCalendar(options, prefix, problems);
    }

    public static TimeZoneInfo? FindZone(string? name) =>
        name is null ? TimeZoneInfo.Utc : TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone) ? zone : null;

    private static void CheckNames(RuleOptions options, string prefix, ICollection<string> problems)
    {
        if (options.Name.Length is 0 or > MaxNameLength || options.Name.Any(c => c is < ' ' or > '~'))
            problems.Add($"{prefix}: name must be 1 to {MaxNameLength} printable ASCII characters.");
        if (options.Domain.Length is 0 or > MaxNameLength)
            problems.Add($"{prefix}: domain '{options.Domain}' must be 1 to {MaxNameLength} characters.");
    }

    private static void CheckPermits(RuleOptions options, string prefix, ICollection<string> problems)
    {
        var most = RuleBounds.MaxPermitsOf(options.Algorithm);
        if (options.Permits >= 0 && options.Permits <= most)
            return;
        var cure = options.Algorithm == AlgorithmKind.SlidingWindow && options.Permits > most
            ? " It remembers every admitted request; use token-bucket or sliding-counter for more."
            : "";
        problems.Add($"{prefix}: limit {options.Permits} must be 0 to {most:N0} for {options.Algorithm.ToName()}.{cure}");
    }

    private static void CheckWindow(RuleOptions options, string prefix, ICollection<string> problems)
    {
        var least = options.Algorithm == AlgorithmKind.SlidingCounter
            ? RuleBounds.MinSlidingCounterWindowMicros
            : RuleBounds.MinWindowMicros;
        var micros = options.Window.Ticks / TimeSpan.TicksPerMicrosecond;
        if (options.Window.Ticks % TimeSpan.TicksPerMicrosecond != 0)
            problems.Add($"{prefix}: window {options.Window} must be a whole number of microseconds.");
        else if (micros < least || micros > RuleBounds.MaxWindowMicros)
            problems.Add($"{prefix}: window {Durations.Format(micros)} must be {Durations.Format(least)} to 366d for {options.Algorithm.ToName()}.");
        else if (options.Algorithm == AlgorithmKind.TokenBucket)
            CheckDepth(options, micros, prefix, problems);
    }

    private static void CheckDepth(RuleOptions options, long micros, string prefix, ICollection<string> problems)
    {
        // What is out of its own bounds has been told already.
        if (options.Permits is < 1 or > RuleBounds.MaxPermits || options.Burst is < 1 or > RuleBounds.MaxPermits)
            return;
        var reduced = micros / (long)BigInteger.GreatestCommonDivisor(micros, options.Permits);
        if ((BigInteger)reduced * (options.Burst ?? options.Permits) > RuleBounds.MaxBucketDepth)
            problems.Add($"{prefix}: limit {options.Permits} does not divide a window of {Durations.Format(micros)} finely enough to be kept exactly. " +
                "Choose a rounder limit, a smaller burst or a shorter window.");
        if ((BigInteger)micros * (options.Burst ?? options.Permits) > (BigInteger)RuleBounds.MaxFillMicros * options.Permits)
            problems.Add($"{prefix}: burst {options.Burst} takes longer than {Durations.Format(RuleBounds.MaxFillMicros)} to come back at {options.Permits} per {Durations.Format(micros)}. " +
                "Choose a smaller burst or a faster rate.");
    }

    private static void CheckBurst(RuleOptions options, string prefix, ICollection<string> problems)
    {
        if (options.Burst is not { } burst)
            return;
        if (options.Algorithm != AlgorithmKind.TokenBucket)
            problems.Add($"{prefix}: burst {burst} is for token-bucket only, not {options.Algorithm.ToName()}. Remove it or set algorithm: token-bucket.");
        else if (burst is < 1 or > RuleBounds.MaxPermits)
            problems.Add($"{prefix}: burst {burst} must be 1 to {RuleBounds.MaxPermits:N0}.");
    }

    private static void CheckCalendar(RuleOptions options, string prefix, ICollection<string> problems)
    {
        if (options.Calendar is not null && options.Algorithm != AlgorithmKind.FixedWindow)
            problems.Add($"{prefix}: calendar windows are for fixed-window only, not {options.Algorithm.ToName()}.");
        if (options.TimeZone is not null && options.Calendar is null)
            problems.Add($"{prefix}: time zone '{options.TimeZone}' needs a calendar unit.");
        if (FindZone(options.TimeZone) is null)
            problems.Add($"{prefix}: time zone '{options.TimeZone}' is not known; use an IANA name such as Europe/Berlin.");
    }
}
