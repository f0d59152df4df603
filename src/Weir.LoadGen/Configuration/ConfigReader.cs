using System.Globalization;
using Weir.LoadGen.Profiles;
using Weir.LoadGen.Proof;
using Weir.LoadGen.Scheduling;

namespace Weir.LoadGen.Configuration;

/// <summary>Turns what was given into a configuration, and tells everything that is wrong with it at once.</summary>
internal sealed partial class ConfigReader(LoadOptions options, ICollection<string> problems)
{
    private const string TimeForm = "a time such as 30, 30s, 1m30s or 250ms";

    /// <summary>Reads everything.</summary>
    /// <returns>Null when there is a problem.</returns>
    public LoadConfig? TryRead()
    {
        var before = problems.Count;
        FindConflicts();
        var closed = Choice(LoadSettings.Loop, "open", "closed") == 1;
        var expect = options.TextOf(LoadSettings.Expect);
        var config = new LoadConfig
        {
            Targets = Targets(),
            EachAddress = options.IsOn(LoadSettings.EachAddress),
            Preflight = !options.IsOn(LoadSettings.NoPreflight),
            Profile = closed ? ClosedProfile() : OpenProfile(),
            IsClosed = closed,
            WhenFull = (WhenFull)Choice(LoadSettings.WhenFull, "skip", "wait"),
            Sending = Sending(),
            Expect = expect is null or "rules" ? null : ExpectedPromise(expect),
            ExpectRules = expect == "rules",
            ClockOffsetNanos = options.TextOf(LoadSettings.ClockOffset) is null ? null : RunClock.ToNanos(Time(LoadSettings.ClockOffset, 0, 86_400)),
            Thresholds = ReadThresholds(),
            Files = Files(),
            NoLive = options.IsOn(LoadSettings.NoLive),
            DryRun = options.IsOn(LoadSettings.DryRun),
            Notes = _notes,
        };
        return problems.Count == before ? config : null;
    }

    private List<Uri> Targets()
    {
        var urls = new List<Uri>();
        foreach (var text in (options.TextOf(LoadSettings.Targets) ?? "").Split([',', ' ', '\n', ';'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.Host.Length > 0 && url.Query.Length == 0 && url.Fragment.Length == 0 && url.UserInfo.Length == 0)
                urls.Add(url);
            else if (url is { UserInfo.Length: > 0 })
                Problem(LoadSettings.Targets, $"'{url.Scheme}://{url.Authority}' must have no user and password: they would not be sent. Give --header 'Authorization: ...' instead.");
            else
                Problem(LoadSettings.Targets, $"'{text}' must be a URL such as http://localhost:8000, without a query.");
        }
        // A scenario that could not be read may have named them.
        if (urls.Count == 0 && options.TextOf(LoadSettings.Targets) is null or "" && (options.TextOf(LoadSettings.Scenario) is null || problems.Count == 0))
            problems.Add("no target is named. Give --targets http://localhost:8000, or set TARGETS.");
        else if (urls.Count > ushort.MaxValue)
            Problem(LoadSettings.Targets, $"{urls.Count:N0} targets are more than {ushort.MaxValue:N0}.");
        return urls;
    }

    private Profile ClosedProfile() => new(Shapes.Constant(0, DurationSeconds()));

    private Profile OpenProfile()
    {
        if (options.Scenario is { Stages.Count: > 0 } scenario)
            return FromStages(scenario);
        var rate = Number(LoadSettings.Rps, Bounds.LeastRate, Bounds.MostRate, "a rate", " requests a second");
        var seconds = DurationSeconds();
        var ramp = Time(LoadSettings.Ramp, 0, Bounds.MostSeconds);
        if (ramp > seconds)
            Problem(LoadSettings.Ramp, $"{Times.Format(ramp)} must not be longer than {options.NameOf(LoadSettings.Duration)}, {Times.Format(seconds)}.");
        return Shapes.RampAndBursts(rate, Math.Min(ramp, seconds), ReadBursts(rate, ramp, seconds), seconds);
    }

    private Profile FromStages(Scenario scenario)
    {
        var profile = Shapes.Sequence(scenario.Stages);
        if (profile.PeakRate <= 0)
            problems.Add($"{scenario.Name}: no stage sends anything. Give one a rate above 0.");
        return profile;
    }

    private Bursts? ReadBursts(double rate, double ramp, double seconds)
    {
        var factor = Number(LoadSettings.BurstMultiplier, 1, Bounds.MostMultiplier, "a factor");
        var interval = Time(LoadSettings.BurstInterval, Bounds.LeastSeconds, Bounds.MostSeconds);
        var length = Time(LoadSettings.BurstDuration, Bounds.LeastSeconds, Bounds.MostSeconds);
        if (length >= interval)
            Problem(LoadSettings.BurstDuration, $"{Times.Format(length)} must be shorter than {options.NameOf(LoadSettings.BurstInterval)}, {Times.Format(interval)}: bursts would overlap.");
        if (rate * factor > Bounds.MostRate)
            Problem(LoadSettings.BurstMultiplier, $"{factor:0.###} times {rate:0.###} is more than {Bounds.MostRate:N0} requests a second. Lower one of them.");
        if (factor <= 1 || length >= interval)
            return null;
        // A run without end repeats its bursts; only those of its ramp are planned one by one.
        if ((double.IsInfinity(seconds) ? ramp : seconds) / interval > Bounds.MostBursts)
        {
            Problem(LoadSettings.BurstInterval, $"{Times.Format(interval)} makes more than {Bounds.MostBursts:N0} bursts. Raise it, or lower {options.NameOf(LoadSettings.Duration)}.");
            return null;
        }
        if (interval >= seconds)
            _notes.Add($"{options.NameOf(LoadSettings.BurstMultiplier)}: no burst comes, because the first is due after {Times.Format(interval)} and the run lasts {Times.Format(seconds)}. Lower {options.NameOf(LoadSettings.BurstInterval)}.");
        return new Bursts(factor, interval, length);
    }

    private double DurationSeconds() => Time(LoadSettings.Duration, 0, Bounds.MostSeconds) is var seconds && seconds == 0 ? double.PositiveInfinity : seconds;

    private Promise? ExpectedPromise(string text)
    {
        var promise = Promise.TryParse(text);
        if (promise is null)
            Problem(LoadSettings.Expect, $"'{text}' must be {Promise.Form}, or 'rules'.");
        else if (!promise.IsProvable)
            Problem(LoadSettings.Expect, "concurrency cannot be proved from outside: when a lease ends is not seen. Leave --expect out.");
        return promise;
    }

    private Thresholds ReadThresholds()
    {
        var p99 = options.TextOf(LoadSettings.MaxP99) is null ? (long?)null : RunClock.ToNanos(Time(LoadSettings.MaxP99, 0.000001, Bounds.MostTimeoutSeconds));
        var failures = options.TextOf(LoadSettings.MaxFailureRate) is { } share ? Share(LoadSettings.MaxFailureRate, share) : null;
        var rate = options.TextOf(LoadSettings.MinRate) is not { } text ? null
            : IsShare(text) ? Share(LoadSettings.MinRate, text) is { } part ? new RateGoal(part, IsShare: true) : null
            : new RateGoal(Number(LoadSettings.MinRate, 0, Bounds.MostRate, "a rate", " requests a second, or a share such as 99%"), IsShare: false);
        return new Thresholds(p99, failures, rate);
    }

    private static bool IsShare(string text) => text.TrimEnd().EndsWith('%');

    private double? Share(LoadSetting setting, string text)
    {
        var percent = IsShare(text);
        if (double.TryParse(percent ? text.TrimEnd().TrimEnd('%') : text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && (percent ? number / 100 : number) is >= 0 and <= 1 and var share)
            return share;
        Problem(setting, $"'{text}' must be a share such as 0.5% or 0.005.");
        return null;
    }

    private double Number(LoadSetting setting, double least, double most, string what, string unit = "", bool whole = false)
    {
        var text = options.TextOf(setting) ?? "";
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most && (!whole || number % 1 == 0))
            return number;
        Problem(setting, $"'{text}' must be {what} from {least:0.###} to {most:N0}{unit}.");
        return Math.Max(1, least);
    }

    private int Whole(LoadSetting setting, int least, int most, string meaning)
    {
        var text = options.TextOf(setting) ?? "";
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most)
            return number;
        Problem(setting, $"'{text}' must be {meaning} from {least:N0} to {most:N0}.");
        return least;
    }

    private double Time(LoadSetting setting, double least, double most)
    {
        var text = options.TextOf(setting) ?? "";
        if (Times.TryParse(text) is { } seconds && seconds >= least && seconds <= most)
            return seconds;
        Problem(setting, $"'{text}' must be {TimeForm}, from {Times.Format(least)} to {Times.Format(most)}.");
        return Math.Max(1, least);
    }

    private int Choice(LoadSetting setting, params string[] choices)
    {
        var text = options.TextOf(setting) ?? "";
        var chosen = Array.IndexOf(choices, text.ToLowerInvariant());
        if (chosen < 0)
            Problem(setting, $"'{text}' must be {string.Join(" or ", choices)}.");
        return Math.Max(0, chosen);
    }

    private void Problem(LoadSetting setting, string text) => problems.Add($"{options.NameOf(setting)}: {text}");
}
