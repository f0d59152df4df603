namespace Weir.AspNetCore;

/// <summary>Decides by counters in this process' memory.</summary>
internal static class MemoryBackend
{
    public static EngineBackend Create(WeirMemoryOptions options, TimeProvider time) =>
        new(new MemoryEngine(new MemoryEngineOptions { MaxCounters = options.MaxCounters }, time), new CounterHasher());
}
