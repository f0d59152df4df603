using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace AgentApi.Tests.Configuration;

/// <summary>Variables that are all empty, and remember who was asked for.</summary>
internal sealed class SpyingVariables : IReadOnlyDictionary<string, string>
{
    public HashSet<string> Asked { get; } = [];

    public IEnumerable<string> Keys => [];

    public IEnumerable<string> Values => [];

    public int Count => 0;

    public string this[string key] => throw new KeyNotFoundException(key);

    public bool ContainsKey(string key) => false;

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out string value)
    {
        Asked.Add(key);
        value = null;
        return false;
    }

    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => Enumerable.Empty<KeyValuePair<string, string>>().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
