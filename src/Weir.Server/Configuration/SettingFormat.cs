using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Weir.Resp;

namespace Weir.Server.Configuration;

/// <summary>Reads a value, or returns false.</summary>
internal delegate bool SettingParser<T>(string text, out T value);

/// <summary>How the values of a setting are written.</summary>
/// <param name="Expected">What a value must be, to follow "must be" in messages.</param>
/// <param name="TryParse">Reads a value.</param>
internal sealed record SettingFormat<T>(string Expected, SettingParser<T> TryParse);

/// <summary>The formats that settings use.</summary>
internal static class SettingFormats
{
    private const int MaxTextLength = 512;

    /// <summary>Printable ASCII without spaces: what survives headers, labels and shells.</summary>
    public static readonly SettingFormat<string?> Word = new($"1 to {MaxTextLength} printable ASCII characters without spaces", TryWord);

    /// <summary>Any text, checked by whoever uses it.</summary>
    public static readonly SettingFormat<string?> Path = new("the path of a file", TryAny);

    /// <summary>A file or folder that is there.</summary>
    public static readonly SettingFormat<string?> ExistingPath = new("the path of an existing file or folder", TryExisting);

    /// <summary>The URL of a Redis server. What is wrong with one, <see cref="RespOptions.TryParse"/> says better.</summary>
    public static readonly SettingFormat<RespOptions?> RedisUrl = new(
        "a redis://, rediss://, redis+cluster:// or redis-sentinel:// URL", static (string text, out RespOptions? value) => RespOptions.TryParse(text, out value, out _));

    /// <summary>What keys in Redis begin with. Braces would decide where a Cluster keeps them.</summary>
    public static readonly SettingFormat<string?> KeyPrefix = new("1 to 64 printable ASCII characters without spaces and braces", TryKeyPrefix);

    /// <summary>A host by which others reach this node.</summary>
    public static readonly SettingFormat<string?> Host = new(
        $"a host name or IP address by which others reach this node; what it listens on is {Setting.Prefix}LISTEN_ADDRESS", TryHost);

    /// <summary>An address to listen on.</summary>
    public static readonly SettingFormat<IPAddress> Address = new("an IP address, localhost, * for every address, or a host name that resolves", TryAddress);

    public static SettingFormat<long> Integer(long least, long most) => new(
        $"a whole number from {least:N0} to {most:N0}",
        (string text, out long value) =>
            long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= least && value <= most);

    public static SettingFormat<T> Choice<T>(params (string Name, T Value)[] choices) => new(
        choices.Length == 2
            ? $"{choices[0].Name} or {choices[1].Name}"
            : string.Join(", ", choices[..^1].Select(c => c.Name)) + " or " + choices[^1].Name,
        (string text, out T value) =>
        {
            var index = Array.FindIndex(choices, c => c.Name.Equals(text, StringComparison.OrdinalIgnoreCase));
            value = index < 0 ? default! : choices[index].Value;
            return index >= 0;
        });

    private static bool TryWord(string text, out string? value)
    {
        value = text;
        return text.Length <= MaxTextLength && text.All(c => c is > ' ' and <= '~');
    }

    private static bool TryKeyPrefix(string text, out string? value) => TryWord(text, out value) && text.Length <= 64 && text.AsSpan().IndexOfAny('{', '}') < 0;

    // An address that means every address is one to listen on; nobody can be reached there.
    private static bool TryHost(string text, out string? value)
    {
        value = text;
        return IPAddress.TryParse(text, out var address)
            ? !address.Equals(IPAddress.Any) && !address.Equals(IPAddress.IPv6Any)
            : text.Length <= 253 && text.All(static c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');
    }

    private static bool TryAny(string text, out string? value)
    {
        value = text;
        return true;
    }

    private static bool TryExisting(string text, out string? value)
    {
        value = text;
        return System.IO.Path.Exists(text);
    }

    private static bool TryAddress(string text, out IPAddress value)
    {
        value = text switch
        {
            "localhost" => IPAddress.Loopback,
            "*" => Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any,
            _ => IPAddress.TryParse(text, out var address) ? address : Resolve(text) ?? IPAddress.None,
        };
        return !value.Equals(IPAddress.None);
    }

    private static IPAddress? Resolve(string host)
    {
        try
        {
            return Dns.GetHostAddresses(host).FirstOrDefault();
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            return null;
        }
    }
}
