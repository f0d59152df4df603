namespace Weir.Stack.Tests.Running;

/// <summary>What can happen to a container, done to its processes from outside.</summary>
internal static class Faults
{
    /// <summary>
    /// Kills every process of a container. Not by <c>docker kill</c>: the engine takes that for a wish of the user's, and its restart policy
    /// would not hold.
    /// </summary>
    public static Task KillAsync(string id) => SignalAsync(id, "KILL");

    /// <summary>Stops every process of a container where it is; connections stay open and nobody answers.</summary>
    public static Task FreezeAsync(string id) => SignalAsync(id, "STOP");

    /// <summary>Lets a frozen container go on.</summary>
    public static Task ThawAsync(string id) => SignalAsync(id, "CONT");

    private static async Task SignalAsync(string id, string signal)
    {
        var pids = (await Shell.DockerAsync("top", id, "-eo", "pid")).Ok().Lines[1..];
        Assert.NotEmpty(pids);
        // The last ones first: the first is init, which would begin to end the others.
        var sent = await Shell.RunAsync("kill", [$"-{signal}", .. pids.Reverse()]);
        // A process that was there a moment ago may have ended by itself.
        if (!sent.Errors.Contains("No such process", StringComparison.Ordinal))
            sent.Ok();
    }
}
