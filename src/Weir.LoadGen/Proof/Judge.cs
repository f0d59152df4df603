namespace Weir.LoadGen.Proof;

/// <summary>What is expected of a limiter.</summary>
/// <param name="Promise">What it promises for a key.</param>
/// <param name="OfKeys">Promises for keys by name, where they have one of their own.</param>
/// <param name="ClockOffsetNanos">How far the servers' time of day may be from ours; null when unknown. Matters to fixed windows alone.</param>
internal sealed record Expectation(Promise Promise, IReadOnlyDictionary<string, Promise> OfKeys, long? ClockOffsetNanos)
{
    public Promise For(string key) => OfKeys.GetValueOrDefault(key, Promise);
}

/// <summary>Compares what was observed with what was promised.</summary>
internal sealed class Judge(Expectation expectation, DateTimeOffset startedAt)
{
    /// <summary>Findings that are kept of each kind; all are counted.</summary>
    public const int MostFindings = 20;

    private readonly Dictionary<Fault, List<Finding>> _findings = [];
    private readonly Dictionary<Fault, long> _counts = [];
    private long _admitted;
    private long _refused;
    private long _unknown;
    private long? _fullest;
    private long? _blindSpot;
    private bool _open;
    private bool _headers;
    private bool _history;

    /// <summary>Judges everything that was remembered.</summary>
    /// <param name="log">What was observed. Nobody may record any more.</param>
    /// <param name="nameOf">Names of keys.</param>
    /// <param name="areFresh">Whether nobody can have used the keys before the run.</param>
    public ProofResult Decide(ProofLog log, Func<int, string> nameOf, bool areFresh)
    {
        var (keys, tooMuch) = (0, new List<int>());
        foreach (var key in log.Keys)
        {
            keys++;
            var before = _counts.GetValueOrDefault(Fault.OverAdmitted);
            Look(new KeyTrace(nameOf(key), areFresh, log.Of(key)));
            if (_counts.GetValueOrDefault(Fault.OverAdmitted) > before)
                tooMuch.Add(key);
        }
        _history = !areFresh;
        var findings = _findings.OrderBy(static f => f.Key).SelectMany(static f => f.Value.OrderByDescending(static x => x.Excess).Take(MostFindings)).ToList();
        return new ProofResult(expectation.Promise, findings, _counts)
        {
            Keys = keys,
            Admitted = _admitted,
            Refused = _refused,
            Unknown = _unknown,
            Fullest = _fullest,
            BlindSpot = _blindSpot,
            Apart = Camps.Find(tooMuch.Select(key => new KeyTrace(nameOf(key), areFresh, log.Of(key))), IsExplained),
            Notes = [.. Notes(log)],
        };
    }

    // A wrong limit is wrong whoever counts with whom.
    private bool IsExplained(KeyTrace trace)
    {
        var judge = new Judge(expectation, startedAt);
        judge.Look(trace);
        return !judge._open && judge._counts.Keys.All(static f => f == Fault.WrongLimit);
    }

    private void Look(KeyTrace trace)
    {
        var promise = expectation.For(trace.Name);
        _admitted += trace.Admitted.Length;
        _refused += trace.Refused.Length;
        _unknown += trace.All.Length - trace.Admitted.Length - trace.Refused.Length;
        _headers |= trace.All.Any(static o => o.Told.Remaining >= 0);
        Keep(OverAdmissions(trace, promise));
        Keep(RefusalCheck.Find(trace, promise));
        Keep(HeaderCheck.Find(trace, promise));
    }

    private List<Finding> OverAdmissions(KeyTrace trace, Promise promise)
    {
        var open = false;
        List<Finding> findings;
        switch (promise.Algorithm)
        {
            case Algorithm.SlidingWindow:
                findings = InEveryWindow(trace, promise.Capacity, promise.WindowNanos, out open);
                break;
            case Algorithm.SlidingCounter:
                // The bound that the estimate keeps whatever the client does.
                findings = InEveryWindow(trace, promise.Limit == 0 ? 0 : ((2 * promise.Limit) - 1) / promise.Cost, promise.WindowNanos, out open);
                break;
            case Algorithm.FixedWindow:
                findings = AlignedCheck.Find(trace, promise.Capacity, promise.WindowNanos, Boundary(promise), out open);
                break;
            case Algorithm.TokenBucket:
                findings = BucketCheck.Find(trace, promise, out open);
                break;
            default:
                findings = [];
                break;
        }
        _open |= open;
        return findings;
    }

    private List<Finding> InEveryWindow(KeyTrace trace, long capacity, long windowNanos, out bool open)
    {
        var findings = WindowCheck.Find(trace, capacity, windowNanos, out var fullest, out open);
        _fullest = Math.Max(_fullest ?? 0, fullest);
        _blindSpot = Math.Max(_blindSpot ?? 0, BlindSpot.Of(trace.AdmittedTimes, windowNanos));
        return findings;
    }

    // Windows begin at whole multiples since 1970 of the server's clock.
    private Bracket? Boundary(Promise promise)
    {
        if (expectation.ClockOffsetNanos is not { } offset)
            return null;
        var since1970 = (startedAt - DateTimeOffset.UnixEpoch).Ticks * 100 % promise.WindowNanos;
        return new Bracket(-since1970 - offset, -since1970 + offset);
    }

    private void Keep(IEnumerable<Finding> findings)
    {
        foreach (var finding in findings)
        {
            _counts[finding.Fault] = _counts.GetValueOrDefault(finding.Fault) + 1;
            if (!_findings.TryGetValue(finding.Fault, out var kept))
                _findings[finding.Fault] = kept = [];
            if (kept.Count < MostFindings * MostFindings)
                kept.Add(finding);
        }
    }

    private IEnumerable<string> Notes(ProofLog log)
    {
        var promise = expectation.Promise;
        if (_refused == 0)
            yield return "No request was refused: the limit was not reached, and this run proves little. Raise --rps, or lower --keys.";
        if (_history)
            yield return "The keys may have been used before: refusals are judged only where an earlier past cannot explain them.";
        if (!_headers && _admitted + _refused > 0)
            yield return "No answer had X-RateLimit headers: there were none to judge.";
        if (promise.Algorithm == Algorithm.SlidingCounter)
            yield return $"A sliding counter estimates: judged was its bound of {(2 * promise.Limit) - 1:N0} in any {Configuration.Times.Format(promise.WindowNanos / 1e9)}.";
        if (promise.Algorithm == Algorithm.FixedWindow && expectation.ClockOffsetNanos is null)
            yield return "Where the server's windows begin is unknown: an excess shows only if no alignment explains it. --clock-offset tells how far its clock may be from ours.";
        if (_unknown > 0)
            yield return $"Of {_unknown:N0} requests nobody knows whether they took a permit.";
        if (log.Forgotten > 0)
            yield return $"The memory of {ProofLog.MostObservations:N0} requests was full: the last {log.Forgotten:N0} were not judged.";
        if (_open)
            yield return "One question was too hard to answer in time: whether all windows of a key fit together. Every single window was judged.";
    }
}
