using System.Diagnostics;
using System.Globalization;

namespace Weir.Server.Metrics;

/// <summary>What the process and its runtime say about themselves, read when metrics are asked for.</summary>
internal static class RuntimeMetrics
{
    private static readonly double StartSeconds = ReadStartSeconds();

    public static void Write(PrometheusWriter writer)
    {
        WriteBuildInfo(writer);
        writer.Counter("process_cpu_seconds_total", Environment.CpuUsage.TotalTime.TotalSeconds, "User and system CPU time spent, in seconds.");
        writer.Gauge("process_resident_memory_bytes", Environment.WorkingSet, "Resident memory size in bytes.");
        writer.Gauge("process_start_time_seconds", StartSeconds, "Start time of the process in seconds since 1970.");
        WriteCollections(writer);
        writer.Counter("dotnet_gc_allocated_bytes_total", GC.GetTotalAllocatedBytes(), "Bytes allocated on the managed heap.");
        writer.Gauge("dotnet_gc_heap_bytes", GC.GetTotalMemory(forceFullCollection: false), "Bytes that the garbage collector thinks are allocated.");
        writer.Gauge("dotnet_threadpool_queue_length", ThreadPool.PendingWorkItemCount, "Work items that wait for a thread of the pool.");
    }

    private static void WriteBuildInfo(PrometheusWriter writer)
    {
        const string name = "ratelimiter_build_info";
        writer.Family(name, "gauge", "The build that runs; always 1.");
        writer.Sample(name, 1, ("version", BuildInfo.Version), ("revision", BuildInfo.Revision));
    }

    private static void WriteCollections(PrometheusWriter writer)
    {
        const string name = "dotnet_gc_collections_total";
        writer.Family(name, "counter", "Garbage collections by generation; an older generation's collection counts for the younger ones too.");
        for (var generation = 0; generation <= GC.MaxGeneration; generation++)
            writer.Sample(name, GC.CollectionCount(generation), ("generation", generation.ToString(CultureInfo.InvariantCulture)));
    }

    private static double ReadStartSeconds()
    {
        using var process = Process.GetCurrentProcess();
        return (process.StartTime.ToUniversalTime() - DateTime.UnixEpoch).TotalSeconds;
    }
}
