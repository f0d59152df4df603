using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace AgentApi.Configuration;

/// <summary>
/// Who may talk to the assistant: <c>API_KEYS=alice:key,bob:key</c>, or a file with such pairs, one a line. Only hashes are kept, and
/// a given key is looked up by its hash, so that the time of a look-up tells nothing about a key.
/// </summary>
internal sealed class ApiKeys
{
    private const int MinKeyLength = 8;
    private const int MaxKeyLength = 128;
    private const int MaxNameLength = 64;

    private readonly FrozenDictionary<string, string> _userByHash;

    private ApiKeys(Dictionary<string, string> userByHash) => _userByHash = userByHash.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Every user that has a key.</summary>
    public IEnumerable<string> Users => _userByHash.Values.Distinct(StringComparer.Ordinal);

    public static ApiKeys Read(SettingsReader settings)
    {
        var users = new Dictionary<string, string>(StringComparer.Ordinal);
        var pairs = (settings.Secret("API_KEYS").Value ?? "").Split([',', '\n', '\r'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i < pairs.Length; i++)
        {
            var pair = pairs[i].Split(':', 2);
            if (pair.Length < 2 || !IsName(pair[0]) || !IsKey(pair[1]))
                settings.Report("API_KEYS", $"pair {i + 1} must be user:key, the user 1 to {MaxNameLength} of a-z, 0-9, '-' and '_', the key {MinKeyLength} to {MaxKeyLength} printable ASCII characters.");
            else if (!users.TryAdd(Hash(pair[1]), pair[0]))
                settings.Report("API_KEYS", $"pair {i + 1} has a key that another pair has too. Give each its own.");
        }
        return new ApiKeys(users);
    }

    /// <summary>Finds the user of a key.</summary>
    public bool TryFind(string key, [NotNullWhen(true)] out string? user)
    {
        user = null;
        return IsKey(key) && _userByHash.TryGetValue(Hash(key), out user);
    }

    private static bool IsName(string text) =>
        text.Length is > 0 and <= MaxNameLength && text.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_');

    private static bool IsKey(string text) => text.Length is >= MinKeyLength and <= MaxKeyLength && text.All(static c => c is > ' ' and <= '~' and not ',');

    private static string Hash(string key) => Convert.ToHexString(SHA256.HashData(Encoding.ASCII.GetBytes(key)));
}
