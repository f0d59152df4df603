using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Weir.Server.Rules;

/// <summary>Holds the rules in force, and puts new ones in force when their files change or when management sends some.</summary>
/// <remarks>
/// Threading: requests read <see cref="Current"/>, one reference to an immutable snapshot, without a lock. Writers (the watcher's timer
/// and management) take turns under a lock and swap the reference. Callbacks run outside of the lock, on the thread that made the change.
/// </remarks>
internal sealed class RulesStore : IDisposable
{
    private const string SentSource = "PUT /api/rules";
    private const string SentName = "body";
    private const int MaxLogged = 50;

    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private RulesWatcher? _watcher;
    private RulesSnapshot _current;
    private RulesFailure? _lastError;

    private RulesStore(RulesSnapshot first, FailurePolicy failure, TimeProvider time) => (_current, Failure, _time) = (first, failure, time);

    /// <summary>The failure policy of rules that name none.</summary>
    public FailurePolicy Failure { get; }

    /// <summary>Called after new rules came into force.</summary>
    public Action<RulesSnapshot>? Changed { get; set; }

    /// <summary>Called after a reload of the files failed.</summary>
    public Action<RulesFailure>? Failed { get; set; }

    /// <summary>The rules in force.</summary>
    public RulesSnapshot Current => Volatile.Read(ref _current);

    /// <summary>Why the files, as they are now, are not in force. Null when they are, or when rules were sent since.</summary>
    public RulesFailure? LastError => Volatile.Read(ref _lastError);

    /// <summary>Where reloads are reported. Default: nowhere.</summary>
    public ILogger Log { get; set; } = NullLogger.Instance;

    /// <summary>Loads a file or a folder and watches it for changes.</summary>
    /// <param name="path">The path; null for no rules and nothing to watch.</param>
    /// <param name="time">Paces the watching.</param>
    /// <param name="failure">The failure policy of rules that name none.</param>
    /// <exception cref="RulesException">The rules cannot be read or are wrong; the message has every problem.</exception>
    public static RulesStore Open(string? path, TimeProvider time, FailurePolicy failure = FailurePolicy.Closed)
    {
        ArgumentNullException.ThrowIfNull(time);
        if (path is null)
            return new RulesStore(new RulesSnapshot(RuleSet.Empty, 1, time.GetUtcNow(), "none", [], []), failure, time);
        // Taken before reading: a change in between is then found by the first look of the watcher.
        var fingerprint = RulesFiles.Fingerprint(path);
        var load = RulesFiles.Load(path, failure);
        if (load.RuleSet is null)
            throw new RulesException(load.Problems);
        var first = new RulesSnapshot(load.RuleSet, 1, time.GetUtcNow(), path, load.Files, Texts(load.Warnings));
        var store = new RulesStore(first, failure, time);
        store._watcher = new RulesWatcher(store, path, fingerprint, time);
        return store;
    }

    /// <summary>Checks a text without putting it in force.</summary>
    public static RulesCheck Check(string text)
    {
        var parsed = Parse(text, FailurePolicy.Closed);
        return new RulesCheck(parsed.Rules, Texts(parsed.Problems), Texts(parsed.Warnings));
    }

    /// <summary>Puts a text in force, in memory only, until the files change or the process ends.</summary>
    /// <returns>Every problem; none when the rules are in force.</returns>
    public IReadOnlyList<string> Replace(string text)
    {
        var parsed = Parse(text, Failure);
        if (parsed.Rules is null)
            return Texts(parsed.Problems);
        Publish(parsed.Rules, SentSource, [new RulesFile(SentName, text)], parsed.Warnings);
        return [];
    }

    /// <summary>Puts in force what was read from the files, or keeps the rules and says why.</summary>
    /// <returns>The version that came into force, or null.</returns>
    internal int? Apply(RulesLoad load, string path)
    {
        if (load.RuleSet is { } rules)
            return Publish(rules, path, load.Files, load.Warnings);
        Fail(load.Problems, path);
        return null;
    }

    /// <summary>The files are again as they were when the rules in force were read from them.</summary>
    internal void Recovered(string path)
    {
        Volatile.Write(ref _lastError, null);
        Log.LogInformation("rules: {Path} is again as loaded; version {Version} stays in force", path, Current.Version);
    }

    public void Dispose() => _watcher?.Dispose();

    private static RulesParseResult Parse(string text, FailurePolicy failure)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (System.Text.Encoding.UTF8.GetByteCount(text) <= RulesFiles.MaxBytes)
            return RulesParser.Parse(failure, new RulesFile(SentName, text));
        return new RulesParseResult(null, [new RulesProblem(SentName, 0, 0, $"The text has more than {RulesFiles.MaxBytes:N0} bytes. Load larger rules from a folder.")], []);
    }

    private int Publish(RuleSet rules, string source, IReadOnlyList<RulesFile> files, IReadOnlyList<RulesProblem> warnings)
    {
        RulesSnapshot next;
        lock (_lock)
        {
            next = new RulesSnapshot(rules, _current.Version + 1, _time.GetUtcNow(), source, files, Texts(warnings));
            Volatile.Write(ref _current, next);
            Volatile.Write(ref _lastError, null);
        }
        Log.LogInformation("rules: version {Version} from {Source} is in force, {Count} rules", next.Version, source, rules.Rules.Count);
        LogEach(LogLevel.Warning, next.Warnings);
        Changed?.Invoke(next);
        return next.Version;
    }

    private void Fail(IReadOnlyList<RulesProblem> problems, string path)
    {
        var failure = new RulesFailure(_time.GetUtcNow(), Texts(problems));
        lock (_lock)
            Volatile.Write(ref _lastError, failure);
        Log.LogError("rules: {Count} problems in {Path}; version {Version} stays in force", problems.Count, path, Current.Version);
        LogEach(LogLevel.Error, failure.Problems);
        Failed?.Invoke(failure);
    }

    private void LogEach(LogLevel level, IReadOnlyList<string> problems)
    {
        foreach (var problem in problems.Take(MaxLogged))
            Log.Log(level, "rules: {Problem}", problem);
        if (problems.Count > MaxLogged)
            Log.Log(level, "rules: and {Count} more", problems.Count - MaxLogged);
    }

    private static IReadOnlyList<string> Texts(IReadOnlyList<RulesProblem> problems) => [.. problems.Select(p => p.ToString())];
}
