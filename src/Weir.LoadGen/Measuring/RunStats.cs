using System.Collections.Concurrent;
using System.Net.Http;
using System.Runtime.CompilerServices;
using Weir.LoadGen.Profiles;
using Weir.LoadGen.Scheduling;
using Weir.LoadGen.Sending;

namespace Weir.LoadGen.Measuring;

/// <summary>Counts everything that happens in a run. Any number of threads may record and read at the same time; nothing is locked.</summary>
/// <remarks>
/// Latencies are those of answers that allowed or limited, and of requests that waited for an answer until their time was over: leaving those out would hide the
/// worst waits. Other failures have none.
/// </remarks>
internal sealed class RunStats
{
    // A header that is different in every answer must not fill the memory.
    private const int MostServers = 1_000;
    private const int Statuses = 1_000;

    private readonly ConcurrentDictionary<string, StrongBox<long>> _servers = new(StringComparer.Ordinal);
    private readonly long[] _failures = new long[Failures.All.Length];
    private readonly long[] _statuses = new long[Statuses];
    private readonly bool[] _failedStatuses = new bool[Statuses];
    private long _sent;
    private long _skipped;
    private long _resent;

    public RunStats(int targets)
    {
        Targets = [.. Enumerable.Range(0, targets).Select(static _ => new TargetStats())];
        Phases = [.. Enum.GetValues<Phase>().Select(static _ => new PhaseStats())];
    }

    /// <summary>By index of the target.</summary>
    public TargetStats[] Targets { get; }

    /// <summary>By phase.</summary>
    public PhaseStats[] Phases { get; }

    /// <summary>Outcomes of all requests.</summary>
    public Tally Outcomes { get; } = new();

    /// <summary>Latencies of all requests.</summary>
    public Latency Latency { get; } = new();

    /// <summary>How much later than planned requests were sent.</summary>
    public Histogram Lag { get; } = new();

    /// <summary>Requests that left.</summary>
    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Requests that could not leave in time and never did.</summary>
    public long Skips => Volatile.Read(ref _skipped);

    /// <summary>Requests that the HTTP stack sent once more by itself.</summary>
    public long Resent => Volatile.Read(ref _resent);

    /// <summary>Failures by kind, those that happened.</summary>
    public IEnumerable<(Failure Kind, long Count)> FailureCounts =>
        Failures.All.Select(kind => (kind, Volatile.Read(ref _failures[(int)kind]))).Where(static f => f.Item2 > 0);

    /// <summary>Answers by status, those that came.</summary>
    public IEnumerable<(int Status, long Count)> StatusCounts =>
        Enumerable.Range(0, Statuses).Select(status => (status, Volatile.Read(ref _statuses[status]))).Where(static s => s.Item2 > 0);

    /// <summary>Answers by status, those whose status is a failure.</summary>
    public IEnumerable<(int Status, long Count)> FailedStatusCounts => StatusCounts.Where(s => _failedStatuses[s.Status]);

    /// <summary>Answers by the <c>X-Served-By</c> header, where they have one.</summary>
    public IEnumerable<(string Server, long Count)> ServerCounts => _servers.Select(static s => (s.Key, Volatile.Read(ref s.Value.Value))).OrderBy(static s => s.Key);

    /// <summary>A request leaves.</summary>
    public void Left(in Trip trip)
    {
        Interlocked.Increment(ref _sent);
        Interlocked.Increment(ref Phases[(int)trip.Departure.Phase].Sent);
        Lag.Record(trip.SentNanos - trip.Departure.DueNanos);
    }

    /// <summary>A request will not leave.</summary>
    public void Skipped(in Departure departure)
    {
        Interlocked.Increment(ref _skipped);
        Interlocked.Increment(ref Phases[(int)departure.Phase].Skipped);
    }

    /// <summary>A request is over.</summary>
    public void Came(in Trip trip)
    {
        var (target, phase) = (Targets[trip.Target], Phases[(int)trip.Departure.Phase]);
        if (trip.Status is > 0 and < Statuses)
            Interlocked.Increment(ref _statuses[trip.Status]);
        if (trip.Failure == Failure.Status && trip.Status < Statuses)
            _failedStatuses[trip.Status] = true;
        if (trip.Failure != Failure.None)
            Interlocked.Increment(ref _failures[(int)trip.Failure]);
        if (trip.Resent > 0)
            Interlocked.Add(ref _resent, trip.Resent);
        if (trip.Counted != Outcome.Failed || trip.Failure == Failure.Timeout)
        {
            Latency.Record(trip.Departure.DueNanos, trip.SentNanos, trip.DoneNanos);
            target.LatencyOf(trip.Counted).Record(trip.Departure.DueNanos, trip.SentNanos, trip.DoneNanos);
            phase.Response.Record(trip.DoneNanos - trip.Departure.DueNanos);
        }
        Outcomes.Add(trip.Counted);
        target.Outcomes.Add(trip.Counted);
        phase.Outcomes.Add(trip.Counted);
    }

    /// <summary>Counts who answered.</summary>
    public void ServedBy(HttpResponseMessage answer)
    {
        if (!answer.Headers.NonValidated.TryGetValues("X-Served-By", out var values))
            return;
        var server = values.ToString();
        if (!_servers.TryGetValue(server, out var count))
        {
            if (_servers.Count >= MostServers)
                return;
            count = _servers.GetOrAdd(server, static _ => new StrongBox<long>());
        }
        Interlocked.Increment(ref count.Value);
    }
}

/// <summary>What happened with one target.</summary>
internal sealed class TargetStats
{
    private readonly Latency[] _latencies = [new(), new(), new()];

    public Tally Outcomes { get; } = new();

    /// <summary>Latencies of requests with an outcome; those that failed are the ones that waited in vain.</summary>
    public Latency LatencyOf(Outcome outcome) => _latencies[(int)outcome];

    /// <summary>Latencies of all requests to the target.</summary>
    public Latency Sum()
    {
        var sum = new Latency();
        foreach (var latency in _latencies)
            sum.Add(latency);
        return sum;
    }
}

/// <summary>What happened to requests that were planned in one phase.</summary>
internal sealed class PhaseStats
{
    /// <summary>Requests that left.</summary>
    public long Sent;

    /// <summary>Requests that did not.</summary>
    public long Skipped;

    public Tally Outcomes { get; } = new();

    public Histogram Response { get; } = new();
}
