using System.Globalization;
using Weir.Resp;

namespace Weir.Redis;

/// <summary>Looks for settings of the servers with which limits would silently be wrong. The handshake has seen to everything else.</summary>
internal static class ServerCheck
{
    private static readonly RespCommand InfoMemory = RespCommand.Create("INFO", "memory");

    /// <summary>What is wrong and how to cure it; null when nothing is, or the user may not ask. Servers of a Cluster that are away are left out.</summary>
    /// <exception cref="SharedStateException">None answered.</exception>
    public static async Task<string?> FindProblemAsync(SharedStore store)
    {
        var (hasAnswer, failure) = (false, new RespFailure(RespStage.Command, RespCause.NotConnected));
        foreach (var primary in store.Client.Primaries)
        {
            using var reply = await primary.SendAsync(InfoMemory, SharedStore.Patience);
            hasAnswer |= reply.HasReply;
            failure = reply.HasReply ? failure : reply.Failure;
            if (reply.IsValue && Problem(reply.GetString() ?? "") is { } problem)
                return $"Redis at {primary.State.Endpoint}: {problem}";
        }
        return hasAnswer ? null : throw store.Failed(failure);
    }

    private static string? Problem(string info)
    {
        string? policy = null;
        var isBounded = false;
        foreach (var line in info.AsSpan().EnumerateLines())
        {
            if (line.StartsWith("maxmemory_policy:"))
                policy = line["maxmemory_policy:".Length..].ToString();
            else if (line.StartsWith("maxmemory:"))
                isBounded = long.TryParse(line["maxmemory:".Length..], NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) && bytes > 0;
        }
        return isBounded && policy is not (null or "noeviction")
            ? $"When its memory is full the server drops counters, and who was refused would be allowed (maxmemory-policy is {policy}). " +
                "Set maxmemory-policy noeviction there."
            : null;
    }
}
