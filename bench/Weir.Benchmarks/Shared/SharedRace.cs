using System.Globalization;
using Weir.Resp;

namespace Weir.Benchmarks.Shared;

/// <summary>What a contender did in one measurement.</summary>
internal readonly record struct SharedLap(double PerSecond, double P50, double P99, double NodeMicros, double RedisMicros, double Bytes);

/// <summary>Lets callers decide, each its next request as soon as its last one was answered.</summary>
internal static class SharedRace
{
    public const int Keys = 100_000;

    public static async Task<SharedLap> RunAsync(SharedContender contender, RespOptions resp, int callers, TimeSpan duration)
    {
        await using var client = RespClients.Create(resp);
        await client.ConnectAsync();
        (await client.SendAsync(RespCommand.Create("FLUSHALL"), -1, TimeSpan.FromSeconds(10))).Dispose();
        await using var session = await contender.OpenAsync(client);
        await DriveAsync(session, callers, duration / 3, null);
        GC.Collect();
        var latencies = new Latencies();
        var (redis, node, allocated, started) = (await RedisMicrosAsync(client), Environment.CpuUsage.TotalTime, GC.GetTotalAllocatedBytes(true), TimeProvider.System.GetTimestamp());
        var decisions = await DriveAsync(session, callers, duration, latencies);
        var elapsed = TimeProvider.System.GetElapsedTime(started);
        var nodeMicros = (Environment.CpuUsage.TotalTime - node).TotalMicroseconds;
        allocated = GC.GetTotalAllocatedBytes(true) - allocated;
        redis = await RedisMicrosAsync(client) - redis;
        return new SharedLap(
            decisions / elapsed.TotalSeconds, latencies.At(0.5), latencies.At(0.99), nodeMicros / decisions, redis / decisions, (double)allocated / decisions);
    }

    private static async Task<long> DriveAsync(SharedSession session, int callers, TimeSpan duration, Latencies? latencies)
    {
        var end = TimeProvider.System.GetTimestamp() + (long)(duration.TotalSeconds * TimeProvider.System.TimestampFrequency);
        var counts = await Task.WhenAll(Enumerable.Range(0, callers).Select(c => Task.Run(() => CallAsync(session, new Random(c), end, latencies))));
        return counts.Sum();
    }

    private static async Task<long> CallAsync(SharedSession session, Random random, long end, Latencies? latencies)
    {
        var decisions = 0L;
        while (true)
        {
            var before = TimeProvider.System.GetTimestamp();
            if (before >= end)
                return decisions;
            await session.DecideAsync(random.Next(Keys));
            latencies?.Add(TimeProvider.System.GetTimestamp() - before);
            decisions++;
        }
    }

    private static async Task<double> RedisMicrosAsync(IRespClient client)
    {
        using var reply = await client.SendAsync(RespCommand.Create("INFO", "cpu"), -1, TimeSpan.FromSeconds(5));
        var seconds = 0.0;
        foreach (var line in reply.GetString()!.Split('\n'))
        {
            if (line.StartsWith("used_cpu_sys:", StringComparison.Ordinal) || line.StartsWith("used_cpu_user:", StringComparison.Ordinal))
                seconds += double.Parse(line.AsSpan(line.IndexOf(':') + 1), CultureInfo.InvariantCulture);
        }
        return seconds * 1_000_000;
    }
}

/// <summary>Counts latencies in microseconds; thread safe.</summary>
internal sealed class Latencies
{
    private readonly long[] _counts = new long[100_000];

    public void Add(long timestamps) =>
        Interlocked.Increment(ref _counts[Math.Min(_counts.Length - 1, timestamps * 1_000_000 / TimeProvider.System.TimestampFrequency)]);

    public double At(double share)
    {
        var left = (long)(_counts.Sum() * share);
        var micros = 0;
        while (micros < _counts.Length - 1 && (left -= _counts[micros]) > 0)
            micros++;
        return micros;
    }
}
