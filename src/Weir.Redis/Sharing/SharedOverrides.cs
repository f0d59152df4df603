using System.Globalization;

namespace Weir.Redis;

/// <summary>
/// Limits of single keys that hold on every node. Redis has all of them, a log of the last changes, and a version; each node has a copy and follows the
/// version. When Redis has lost them, every node puts back what it knows, and the newest stays.
/// </summary>
/// <remarks>
/// <see cref="FollowAsync"/> is one caller's at a time and the only one that changes the copy; <see cref="WriteAsync"/> is thread safe. Versions are
/// compared by their numbers alone when it is decided who is newer; a mark that differs only says that something has to be read.
/// </remarks>
internal sealed partial class SharedOverrides(SharedStore store, IOverrideTable table)
{
    /// <summary>Most limits, over all nodes.</summary>
    public const int Max = 100_000;

    /// <summary>Changes that a node may have missed and still learn one by one.</summary>
    public const int LogSize = 1_024;

    private readonly string _max = $"{Max}";
    private readonly string _logSize = $"{LogSize}";
    private readonly Dictionary<string, OverrideLimit> _copy = new(StringComparer.Ordinal);

    // A string, because it is read while it is changed.
    private string _applied = "";

    private string[] LimitKeys => [store.Keys.Limits, store.Keys.LimitsLog, store.Keys.LimitsVersion];

    /// <summary>The last change that is in force here.</summary>
    public OverridesVersion Applied => OverridesVersion.Parse(Volatile.Read(ref _applied));

    /// <summary>Told when Redis had lost limits and this node has put them back: how many there are.</summary>
    public Action<int>? Restored { get; set; }

    /// <summary>Told of a key whose limit cannot be read.</summary>
    public Action<string>? Unreadable { get; set; }

    /// <summary>Sets or lifts the limit of a key, for all nodes.</summary>
    /// <param name="key">The key.</param>
    /// <param name="limit">Its limit; null lifts it.</param>
    /// <param name="least">The newest version that is known anywhere: an older Redis has lost something and must have it back first.</param>
    /// <exception cref="SharedStateException">It was not done, or nobody knows.</exception>
    public async Task<(OverrideOutcome Outcome, OverridesVersion Version)> WriteAsync(string key, OverrideLimit? limit, OverridesVersion least)
    {
        var reply = await store.RunAsync(
            SharedScript.SetLimit, store.Keys.Slot, LimitKeys,
            store.Clock.DeadlineIn(SharedStore.Patience), $"{least.Number}", NewMark(), _max, SharedStore.KeepMillis, _logSize, key, limit?.ToJson() ?? "");
        return reply[0] switch
        {
            "done" => (OverrideOutcome.Done, OverridesVersion.Parse(reply[1])),
            "none" => (OverrideOutcome.NotThere, OverridesVersion.None),
            "full" => (OverrideOutcome.Full, OverridesVersion.None),
            "behind" => (OverrideOutcome.Behind, OverridesVersion.None),
            _ => throw new SharedStateException($"Redis at {store.Address}: The change came too late and was not made. Try again."),
        };
    }

    /// <summary>Brings this node's copy to a version that was seen in Redis, or Redis to this node's when that is newer.</summary>
    /// <param name="seen">What the version's key holds; null when there is none.</param>
    /// <returns>True when the copy was changed.</returns>
    /// <exception cref="SharedStateException">Redis did not answer. The copy is as it was, or partly newer; the next call goes on.</exception>
    public async Task<bool> FollowAsync(string? seen)
    {
        var applied = Applied;
        if ((seen ?? "") == applied.ToString())
            return false;
        if (OverridesVersion.Parse(seen).Number < applied.Number)
        {
            await RestoreAsync(applied);
            return false;
        }
        return await ReadChangesAsync() || await ReadAllAsync();
    }

    // False when the log does not lead here from what this node has.
    private async Task<bool> ReadChangesAsync()
    {
        var reply = await store.RunAsync(SharedScript.LimitsSince, store.Keys.Slot, LimitKeys, _applied, _logSize);
        if (reply.Count == 2 && reply[1] == "all")
            return false;
        for (var i = 1; i < reply.Count; i += 2)
            Apply(reply[i]!, reply[i + 1]);
        Volatile.Write(ref _applied, reply[0]!);
        return true;
    }

    private void Apply(string key, string? json)
    {
        var limit = json is null ? null : OverrideLimit.Read(json);
        if (limit is null && json is not null)
            Unreadable?.Invoke(key);
        if (limit is null)
            _copy.Remove(key);
        else
            _copy[key] = limit;
        table.Set(key, limit);
    }

    private static string NewMark() => Random.Shared.NextInt64(1L << 48).ToString("x12", CultureInfo.InvariantCulture);
}

/// <summary>What became of a change of an override.</summary>
public enum OverrideOutcome
{
    /// <summary>It is made.</summary>
    Done,

    /// <summary>The key had no limit of its own to lift.</summary>
    NotThere,

    /// <summary>As many keys as may have limits of their own already.</summary>
    Full,

    /// <summary>Redis has lost earlier changes and does not have them back yet.</summary>
    Behind,
}
