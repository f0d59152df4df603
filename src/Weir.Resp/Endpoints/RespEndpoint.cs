using System.Globalization;

namespace Weir.Resp;

/// <summary>Where a server listens: a host name or address, and a TCP port.</summary>
/// <param name="Host">A DNS name, an IPv4 address, or an IPv6 address without brackets.</param>
/// <param name="Port">1 to 65535.</param>
public readonly record struct RespEndpoint(string Host, int Port)
{
    /// <summary>The port that Redis and Valkey listen on unless told otherwise.</summary>
    public const int DefaultPort = 6379;

    /// <summary>The port that Sentinels listen on unless told otherwise.</summary>
    public const int DefaultSentinelPort = 26379;

    /// <summary>The endpoint as <c>host:port</c>, an IPv6 address in brackets.</summary>
    public override string ToString() => Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    /// <summary>
    /// Reads an endpoint as servers write it in redirections: the port follows the last colon, and an IPv6 address has no brackets. A host
    /// that is empty or unknown to the server is taken from <paramref name="asked"/>, the endpoint that answered.
    /// </summary>
    internal static bool TryParseRedirection(ReadOnlySpan<char> text, RespEndpoint asked, out RespEndpoint endpoint)
    {
        endpoint = default;
        var colon = text.LastIndexOf(':');
        if (colon < 0 || !TryParsePort(text[(colon + 1)..], out var port))
            return false;
        endpoint = new RespEndpoint(HostOr(asked, text[..colon]), port);
        return true;
    }

    /// <summary>The host that a server names, or that of <paramref name="asked"/> where the server names none.</summary>
    internal static string HostOr(RespEndpoint asked, ReadOnlySpan<char> host) => host.Length == 0 || host is "?" ? asked.Host : host.ToString();

    internal static bool TryParsePort(ReadOnlySpan<char> text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and <= ushort.MaxValue;
}
