namespace Weir.Redis;

/// <summary>Where a node keeps the overrides that are in force. Called by one thread at a time.</summary>
public interface IOverrideTable
{
    /// <summary>Puts these limits in place of all that there were.</summary>
    void Replace(IReadOnlyDictionary<string, OverrideLimit> all);

    /// <summary>Gives one key a limit, or lifts it.</summary>
    /// <param name="key">The key.</param>
    /// <param name="limit">Its limit; null lifts it.</param>
    void Set(string key, OverrideLimit? limit);
}
