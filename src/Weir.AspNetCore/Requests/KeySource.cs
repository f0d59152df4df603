using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features.Authentication;

namespace Weir.AspNetCore;

/// <summary>Writes who shares a limit into a check, without a string in between where the request has none. Immutable.</summary>
/// <remarks>
/// Where a request without user or API key counts by its address, each kind of key begins differently: nobody can name himself like somebody else's address.
/// </remarks>
internal sealed class KeySource(LimitBy by, Func<HttpContext, string?>? key, string apiKeyHeader, int ipv6PrefixLength)
{
    private const int MaxAddressBytes = 64;

    /// <summary>Whether a request may be counted by its address.</summary>
    public bool UsesAddress => key is null && by != LimitBy.Everyone;

    /// <summary>Adds the charge of a request.</summary>
    /// <returns>False when the request is exempt.</returns>
    public bool TryAdd(PendingCheck check, Limit limit, HttpContext context, int cost, bool isFinal)
    {
        if (key is not null)
        {
            if (key(context) is not { } named)
                return false;
            check.Add(limit, named, cost, isFinal);
        }
        else if (by == LimitBy.Everyone)
        {
            check.Add(limit, "all", cost, isFinal);
        }
        else if (by == LimitBy.User && UserOf(context) is { } user)
        {
            AddText(check, limit, "user:"u8, user, cost, isFinal);
        }
        else if (by == LimitBy.ApiKey && context.Request.Headers[apiKeyHeader] is { Count: > 0 } values && values[0] is { Length: > 0 } secret)
        {
            AddHash(check, limit, secret, cost, isFinal);
        }
        else
        {
            AddAddress(check, limit, by == LimitBy.Address ? [] : "address:"u8, context.Connection.RemoteIpAddress, cost, isFinal);
        }
        return true;
    }

    private static string? UserOf(HttpContext context)
    {
        if (context.Features.Get<IHttpAuthenticationFeature>()?.User is not { Identity.IsAuthenticated: true } user)
            return null;
        return user.FindFirst(ClaimTypes.NameIdentifier)?.Value ?? user.FindFirst("sub")?.Value ?? user.Identity?.Name;
    }

    private static void AddText(PendingCheck check, Limit limit, ReadOnlySpan<byte> kind, string text, int cost, bool isFinal)
    {
        var room = check.Begin(limit, kind.Length + Encoding.UTF8.GetMaxByteCount(text.Length));
        kind.CopyTo(room);
        check.End(limit, kind.Length + Encoding.UTF8.GetBytes(text, room[kind.Length..]), cost, isFinal);
    }

    // Listings show keys, and an API key is a secret.
    private static void AddHash(PendingCheck check, Limit limit, string secret, int cost, bool isFinal)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        var room = check.Begin(limit, Encoding.UTF8.GetMaxByteCount(secret.Length));
        SHA256.HashData(room[..Encoding.UTF8.GetBytes(secret, room)], hash);
        "key:"u8.CopyTo(room);
        Convert.TryToHexStringLower(hash[..16], room[4..], out var written);
        check.End(limit, 4 + written, cost, isFinal);
    }

    private void AddAddress(PendingCheck check, Limit limit, ReadOnlySpan<byte> kind, IPAddress? address, int cost, bool isFinal)
    {
        var room = check.Begin(limit, MaxAddressBytes);
        kind.CopyTo(room);
        check.End(limit, kind.Length + Write(address, room[kind.Length..]), cost, isFinal);
    }

    private int Write(IPAddress? address, Span<byte> target)
    {
        // Sockets that are no network's, and servers in tests, have none.
        if (address is null)
        {
            "unknown"u8.CopyTo(target);
            return 7;
        }
        Span<byte> bytes = stackalloc byte[16];
        if (address.AddressFamily == AddressFamily.InterNetwork)
            return address.TryFormat(target, out var plain) ? plain : 0;
        address.TryWriteBytes(bytes, out _);
        if (address.IsIPv4MappedToIPv6)
            return WriteV4(bytes[12..], target);
        return WriteV6(bytes, target);
    }

    private static int WriteV4(ReadOnlySpan<byte> bytes, Span<byte> target)
    {
        var length = 0;
        for (var i = 0; i < 4; i++)
        {
            if (i > 0)
                target[length++] = (byte)'.';
            Utf8Formatter.TryFormat(bytes[i], target[length..], out var written);
            length += written;
        }
        return length;
    }

    // The groups that the prefix covers: 2001:db8:0:1::/64.
    private int WriteV6(Span<byte> bytes, Span<byte> target)
    {
        for (var i = 0; i < 16; i++)
            bytes[i] &= (byte)(0xff00 >> Math.Clamp(ipv6PrefixLength - (8 * i), 0, 8));
        var length = 0;
        for (var i = 0; i < (ipv6PrefixLength + 15) / 16; i++)
        {
            if (i > 0)
                target[length++] = (byte)':';
            ((bytes[2 * i] << 8) | bytes[(2 * i) + 1]).TryFormat(target[length..], out var digits, "x");
            length += digits;
        }
        if (ipv6PrefixLength == 128)
            return length;
        "::/"u8.CopyTo(target[length..]);
        Utf8Formatter.TryFormat(ipv6PrefixLength, target[(length + 3)..], out var written);
        return length + 3 + written;
    }
}
