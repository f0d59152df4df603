using System.Globalization;
using System.Text.RegularExpressions;
using Weir.LoadGen.Configuration;

namespace Weir.LoadGen.Proof;

/// <summary>How a limiter counts, as far as somebody outside can tell.</summary>
internal enum Algorithm
{
    /// <summary>At most the limit in every interval of the window's length.</summary>
    SlidingWindow,

    /// <summary>At most burst + rate × time in every interval.</summary>
    TokenBucket,

    /// <summary>At most the limit in every aligned window.</summary>
    FixedWindow,

    /// <summary>An estimate: at most twice the limit less one in any interval of the window's length.</summary>
    SlidingCounter,

    /// <summary>At most the limit held at once, which cannot be seen from outside.</summary>
    Concurrency,
}

/// <summary>What a limiter promises for every key.</summary>
/// <param name="Algorithm">How it counts.</param>
/// <param name="Limit">Permits per window.</param>
/// <param name="WindowNanos">The window.</param>
/// <param name="Burst">Most permits at once, for token buckets; otherwise the limit.</param>
/// <param name="Cost">Permits that each request takes.</param>
internal sealed partial record Promise(Algorithm Algorithm, long Limit, long WindowNanos, long Burst, long Cost)
{
    /// <summary>What <see cref="TryParse"/> reads, for messages.</summary>
    public const string Form = "a promise such as '100/1m', '100/1m sliding-window', '50/1s token-bucket burst 200' or '1000/1h fixed-window cost 5'";

    private const long Most = 4_294_967_295;
    private const double MostSeconds = 366 * 86_400.0;

    private static readonly (string Name, Algorithm Algorithm)[] Names =
    [
        ("sliding-window", Algorithm.SlidingWindow), ("token-bucket", Algorithm.TokenBucket), ("fixed-window", Algorithm.FixedWindow),
        ("sliding-counter", Algorithm.SlidingCounter), ("concurrency", Algorithm.Concurrency),
    ];

    /// <summary>Requests that may be admitted at once, or in one window.</summary>
    public long Capacity => (Algorithm == Algorithm.TokenBucket ? Burst : Limit) / Cost;

    /// <summary>Whether requests and answers can show that it was broken.</summary>
    public bool IsProvable => Algorithm != Algorithm.Concurrency;

    /// <summary>Finds an algorithm by its name.</summary>
    public static Algorithm? AlgorithmOf(string name) =>
        Names.FirstOrDefault(n => n.Name.Equals(name, StringComparison.OrdinalIgnoreCase)) is { Name: not null } found ? found.Algorithm : null;

    /// <summary>Reads a promise.</summary>
    /// <returns>Null when the text is none.</returns>
    public static Promise? TryParse(string text)
    {
        var match = Shape().Match(text.Trim());
        if (!match.Success
            || !TryNumber(match, "limit", 0, out var limit)
            || Times.TryParse(match.Groups["window"].Value) is not { } seconds || seconds is < 0.001 or > MostSeconds
            || AlgorithmOf(match.Groups["algorithm"] is { Success: true } named ? named.Value : "sliding-window") is not { } algorithm
            || !TryNumber(match, "burst", 1, out var burst, otherwise: limit)
            || (match.Groups["burst"].Success && algorithm != Algorithm.TokenBucket)
            || !TryNumber(match, "cost", 1, out var cost, otherwise: 1))
            return null;
        return new Promise(algorithm, limit, (long)Math.Round(seconds * 1e9), burst, cost);
    }

    /// <inheritdoc />
    public override string ToString() =>
        $"{Limit:N0} per {Times.Format(WindowNanos / 1e9)}, {Names.First(n => n.Algorithm == Algorithm).Name}"
        + (Algorithm == Algorithm.TokenBucket && Burst != Limit ? $", burst {Burst:N0}" : "")
        + (Cost == 1 ? "" : $", {Cost:N0} for each request");

    private static bool TryNumber(Match match, string group, long least, out long number, long otherwise = 0)
    {
        number = otherwise;
        return !match.Groups[group].Success
            || (long.TryParse(match.Groups[group].Value, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= least && number <= Most);
    }

    [GeneratedRegex(@"^(?<limit>\d+)\s*(/|per)\s*(?<window>[\d.]*[a-z0-9]+)([\s,]+(?<algorithm>[a-z]+-?[a-z]+))?([\s,]+burst[\s=]+(?<burst>\d+))?([\s,]+cost[\s=]+(?<cost>\d+))?$",
        RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Shape();
}
