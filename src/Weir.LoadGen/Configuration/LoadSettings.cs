namespace Weir.LoadGen.Configuration;

/// <summary>Every setting of a load run. The command line, the environment, scenarios and documentation are made from this table.</summary>
public static class LoadSettings
{
    internal static readonly LoadSetting Targets = OfContainer("targets", "urls", null, "Where to send to, in turn: URLs with commas between them.");
    internal static readonly LoadSetting Rps = OfContainer("rps", "rate", "50", "Requests a second over all targets; fractions such as 0.5 are fine.");
    internal static readonly LoadSetting Duration = OfContainer("duration", "time", "30", "How long: seconds, or 1m30s. 0 goes on until it is stopped.");
    internal static readonly LoadSetting BurstMultiplier = OfContainer("burst-multiplier", "factor", "1", "What the rate is multiplied by in bursts; 1 means no bursts.");
    internal static readonly LoadSetting BurstInterval = OfContainer("burst-interval", "time", "30", "From the start of one burst to the start of the next. The first comes after one interval.");
    internal static readonly LoadSetting BurstDuration = OfContainer("burst-duration", "time", "5", "How long a burst lasts; less than --burst-interval.");
    internal static readonly LoadSetting Ramp = OfContainer("ramp", "time", "0", "How long the rate takes from 0 to --rps at the start.");
    internal static readonly LoadSetting Keys = OfContainer("keys", "keys", "10", "Whom to ask for: a number of keys drawn evenly, zipf:N or zipf:N:EXPONENT for hot ones, fixed:NAME, or file:PATH with one per line.");
    internal static readonly LoadSetting MaxInFlight = OfContainer("max-in-flight", "n", "100", "Most requests that wait for an answer at the same time.");
    internal static readonly LoadSetting Timeout = OfContainer("timeout", "time", "10", "How long an answer may take.");

    internal static readonly LoadSetting Scenario = new("scenario", "file", null, "YAML file with stages of load one after the other, and perhaps other settings.");
    internal static readonly LoadSetting Loop = new("loop", "kind", "open", "open: requests leave when planned, answered or not. closed: --max-in-flight requests are always under way, as fast as answers come.");
    internal static readonly LoadSetting WhenFull = new("when-full", "what", "skip", "What becomes of a request that cannot leave within 250 ms of its time: skip counts it and leaves it out; wait sends it late.");
    internal static readonly LoadSetting EachAddress = Switch("each-address", "Make every address behind a target's name a target of its own.");
    internal static readonly LoadSetting NoPreflight = Switch("no-preflight", "Begin even if a target cannot be connected to.");
    internal static readonly LoadSetting Method = new("method", "name", "GET", "HTTP method.");
    internal static readonly LoadSetting Path = new("path", "template", "/rate-limit/{key}", "Path and query; {key} and {seq} stand for the key and the request's number.");
    internal static readonly LoadSetting Header = new("header", "name: value", null, "A header to send, with {key} and {seq} as in --path. Can be given again.") { Kind = SettingKind.List };
    internal static readonly LoadSetting Body = new("body", "text", null, "Body to send, with {key} and {seq} as in --path; @FILE takes it from a file.");
    internal static readonly LoadSetting KeyPrefix = new("key-prefix", "text", null, "What the names of numbered keys begin with. [default: something of this run alone, so that no key was used before]");
    internal static readonly LoadSetting Seed = new("seed", "n", "1", "Another seed draws other keys.");
    internal static readonly LoadSetting AllowedStatus = new("allowed-status", "statuses", "200", "Statuses that mean allowed: 200,204 or 2xx.");
    internal static readonly LoadSetting LimitedStatus = new("limited-status", "statuses", "429", "Statuses that mean limited. Limited is a success; all other statuses are failures.");
    internal static readonly LoadSetting Resend = Switch("resend", "Let the HTTP stack send a request once more when a kept connection turns out to be closed. Counted.");
    internal static readonly LoadSetting Insecure = Switch("insecure", "Take any certificate of https targets.");

    internal static readonly LoadSetting Expect = new("expect", "promise", null, "Prove that the limiter keeps a promise, such as '100/1m sliding-window', or 'rules' to ask the first target for its default rule. A fault makes the exit code 1.");
    internal static readonly LoadSetting ClockOffset = new("clock-offset", "time", null, "How far the servers' time of day may be from ours; sharpens --expect with fixed-window.");
    internal static readonly LoadSetting MaxP99 = new("max-p99", "time", null, "Exit with 1 if the 99th percentile of the response time is longer.");
    internal static readonly LoadSetting MaxFailureRate = new("max-failure-rate", "share", null, "Exit with 1 if more requests fail: 0.5% or 0.005.");
    internal static readonly LoadSetting MinRate = new("min-rate", "rate", null, "Exit with 1 if fewer requests a second are answered: a rate, or a share of what was asked such as 99%.");

    internal static readonly LoadSetting Json = new("json", "file", null, "Write the report as JSON.");
    internal static readonly LoadSetting Html = new("html", "file", null, "Write the report as one page with plots.");
    internal static readonly LoadSetting Csv = new("csv", "file", null, "Write what happened second by second.");
    internal static readonly LoadSetting NoLive = Switch("no-live", "Print a line every 10 s also on a terminal, instead of the live view.");
    internal static readonly LoadSetting DryRun = Switch("dry-run", "Print what would be sent, and send nothing.");

    /// <summary>All settings, in the order of help and documentation.</summary>
    public static IReadOnlyList<LoadSetting> All { get; } =
    [
        Targets, Rps, Duration, Ramp, BurstMultiplier, BurstInterval, BurstDuration, Keys, MaxInFlight, Timeout, Scenario, Loop, WhenFull, EachAddress, NoPreflight,
        Method, Path, Header, Body, KeyPrefix, Seed, AllowedStatus, LimitedStatus, Resend, Insecure,
        Expect, ClockOffset, MaxP99, MaxFailureRate, MinRate, Json, Html, Csv, NoLive, DryRun,
    ];

    private static LoadSetting OfContainer(string name, string values, string? byDefault, string description) =>
        new(name, values, byDefault, description) { Variable = name.Replace('-', '_').ToUpperInvariant() };

    private static LoadSetting Switch(string name, string description) => new(name, "", null, description) { Kind = SettingKind.Switch };
}
