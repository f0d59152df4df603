namespace Weir.AspNetCore.Waiting;

/// <summary>For the interfaces of .NET that have no other way than to hold the calling thread until an answer comes.</summary>
internal static class Blocking
{
    /// <summary>
    /// Waits for what an asynchronous method gives. Where the thread has a synchronization context or a scheduler of its own, which cannot go on while it waits, the
    /// method runs on the pool.
    /// </summary>
    public static T Wait<T>(Func<Task<T>> ask) =>
        (SynchronizationContext.Current is null && TaskScheduler.Current == TaskScheduler.Default ? ask() : Task.Run(ask)).GetAwaiter().GetResult();
}
