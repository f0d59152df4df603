using System.Security.Cryptography;

namespace Weir.Redis;

/// <summary>
/// The secret under which all nodes name counters. The first node to come makes it; all that know it put it back when Redis has lost it. Used by one
/// caller at a time.
/// </summary>
internal sealed class SharedSeed(SharedStore store)
{
    private const int Bytes = 32;

    // What this node would put there, should nobody have done so.
    private string _own = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(Bytes));

    /// <summary>Whether all nodes use it, as far as this one knows.</summary>
    public bool IsShared { get; private set; }

    /// <summary>The seed.</summary>
    public byte[] Value => Convert.FromHexString(_own);

    /// <summary>Compares this node's seed with the one in Redis.</summary>
    /// <param name="seen">What its key holds; null when there is nothing.</param>
    /// <param name="mayMake">Whether a node that has none yet may make one, and need not wait for others that have.</param>
    /// <exception cref="SharedStateException">Redis did not answer, or holds something else under the key.</exception>
    public async Task<SeedNews> FollowAsync(string? seen, bool mayMake)
    {
        if (seen is null && !IsShared && !mayMake)
            return SeedNews.Awaited;
        var wasLost = seen is null && IsShared;
        if (seen is null)
        {
            await store.SendAsync("SET", store.Keys.Seed, _own, "NX", "PX", SharedStore.KeepMillis);
            // Another node may have been faster.
            seen = (await store.SendAsync("GET", store.Keys.Seed))[0];
        }
        if (seen is null || !IsSeed(seen))
        {
            throw new SharedStateException(
                $"Redis at {store.Address}: The key {store.Keys.Seed} does not hold what a node wrote there. Delete it, or choose another prefix.",
                isMistake: true);
        }
        var wasShared = IsShared;
        IsShared = true;
        if (seen == _own)
            return wasLost ? SeedNews.PutBack : wasShared ? SeedNews.None : SeedNews.First;
        _own = seen;
        return wasShared ? SeedNews.Replaced : SeedNews.First;
    }

    private static bool IsSeed(string text) => text.Length == 2 * Bytes && text.All(char.IsAsciiHexDigitLower);
}

/// <summary>What a look at the shared seed has brought.</summary>
internal enum SeedNews
{
    /// <summary>It is as it was.</summary>
    None,

    /// <summary>There is none, and others may put theirs back.</summary>
    Awaited,

    /// <summary>This node has it now, for the first time.</summary>
    First,

    /// <summary>Redis had lost it, and has it again.</summary>
    PutBack,

    /// <summary>It is another.</summary>
    Replaced,
}
