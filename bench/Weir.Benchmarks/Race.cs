using Weir.Benchmarks.Contenders;

namespace Weir.Benchmarks;

/// <summary>What a contender did in one measurement.</summary>
internal readonly record struct Lap(long Decisions, TimeSpan Elapsed, TimeSpan Processor, long AllocatedBytes, long Allowed)
{
    public double DecisionsPerSecond => Decisions / Elapsed.TotalSeconds;

    /// <summary>Processor time of the whole process, heartbeats and the collector included: what other programs on the machine disturb least.</summary>
    public double ProcessorNanosPerDecision => Processor.TotalNanoseconds / Decisions;

    public double BytesPerDecision => (double)AllocatedBytes / Decisions;

    public double AllowedShare => (double)Allowed / Decisions;
}

/// <summary>Lets a contender decide on one thread per lane, all beginning at once.</summary>
internal static class Race
{
    // Long enough that the call and its virtual dispatch vanish, short enough that a lane ends soon after its share is done.
    private const int RequestsPerCall = 4096;

    public static Lap Run(Contender contender, Traffic traffic, long decisions)
    {
        var lanes = traffic.Lanes.Length;
        var share = Math.Max(RequestsPerCall, decisions / lanes / RequestsPerCall * RequestsPerCall);
        long allowed = 0, allocated = 0;
        using var start = new Barrier(lanes + 1);
        var threads = Array.ConvertAll(traffic.Lanes, lane => new Thread(() =>
        {
            start.SignalAndWait();
            var before = GC.GetAllocatedBytesForCurrentThread();
            var passed = DecideLane(contender, lane, share);
            Interlocked.Add(ref allocated, GC.GetAllocatedBytesForCurrentThread() - before);
            Interlocked.Add(ref allowed, passed);
        }));
        foreach (var thread in threads)
            thread.Start();
        start.SignalAndWait();
        var started = TimeProvider.System.GetTimestamp();
        var processor = Environment.CpuUsage.TotalTime;
        foreach (var thread in threads)
            thread.Join();
        var elapsed = TimeProvider.System.GetElapsedTime(started);
        return new Lap(share * lanes, elapsed, Environment.CpuUsage.TotalTime - processor, allocated, allowed);
    }

    private static long DecideLane(Contender contender, Request[] lane, long decisions)
    {
        var allowed = 0L;
        for (long done = 0; done < decisions; done += RequestsPerCall)
            allowed += contender.Decide(lane.AsSpan((int)(done % lane.Length), RequestsPerCall));
        return allowed;
    }
}
