using System.Globalization;

namespace Weir.Resp;

/// <summary>
/// Reads one URL. Messages repeat only parts that cannot be a password: a port, for one, is where the password of
/// <c>redis://user:password</c> (which lacks its host) ends up.
/// </summary>
internal sealed class RespUrlParser
{
    private const string Forms = "redis://host:6379, rediss:// for TLS, redis+cluster:// for a Cluster, or redis-sentinel:// for Sentinels";

    private RespUrlScheme _scheme;

    /// <summary>What was read so far.</summary>
    public RespOptions Options { get; private set; } = new();

    /// <summary>The first problem.</summary>
    public string Problem { get; private set; } = "";

    public bool TryParse(string url)
    {
        var text = url.Trim();
        if (text.Length == 0)
            return Fail($"The URL is empty. Write {Forms}.");
        var end = text.IndexOf("://", StringComparison.Ordinal);
        if (end < 0)
            return Fail($"The URL has no scheme. Write {Forms}.");
        if (!TryScheme(text[..end]))
            return false;
        var (authority, path, query) = Split(text[(end + 3)..]);
        if (text.Contains('#'))
            return Fail("The URL has a '#', which means nothing here. In a user or password write it as %23.");
        // A '/' or '?' in a password ends the authority early and leaves the '@' behind.
        if (path.Contains('@') || query.Contains('@'))
            return Fail("The URL has an '@' after its host. In a user or password write '/' as %2F, '?' as %3F and '@' as %40.");
        return TryAuthority(authority) && TryPath(path) && TryQuery(query);
    }

    private static (string Authority, string Path, string Query) Split(string rest)
    {
        var question = rest.IndexOf('?');
        var query = question < 0 ? "" : rest[(question + 1)..];
        var before = question < 0 ? rest : rest[..question];
        var slash = before.IndexOf('/');
        return slash < 0 ? (before, "", query) : (before[..slash], before[(slash + 1)..], query);
    }

    private bool TryScheme(string name)
    {
        if (!RespUrlScheme.TryFind(name, out _scheme))
        {
            // A scheme is short; anything longer is some other part of a broken URL, perhaps a secret one.
            return Fail(name.Length <= 16 && !name.Contains('@')
                ? $"The scheme '{name}' is not known. Write {Forms}."
                : $"The scheme is not known. Write {Forms}.");
        }
        Options = Options with { Topology = _scheme.Topology, Tls = _scheme.Tls ? new RespTlsOptions() : null };
        return true;
    }

    private bool TryAuthority(string authority)
    {
        var at = authority.LastIndexOf('@');
        return (at < 0 || TryUserInfo(authority[..at])) && TryHosts(authority[(at + 1)..]);
    }

    private bool TryUserInfo(string userInfo)
    {
        var colon = userInfo.IndexOf(':');
        if (colon < 0)
            return Fail("The part before '@' has no ':'. Write user:password@host, or :password@host for a password alone.");
        if (!TryDecode(userInfo[..colon], out var user) || !TryDecode(userInfo[(colon + 1)..], out var password))
            return Fail("The user or password has a '%' that starts no percent-encoding. Write '%' as %25.");
        if (password.Length == 0)
            return Fail("The password is empty. Write user:password@host, or leave out the '@' and what precedes it.");
        Options = Options with { User = user.Length == 0 ? null : user, Password = password };
        return true;
    }

    private bool TryHosts(string hosts)
    {
        var endpoints = new List<RespEndpoint>();
        foreach (var host in hosts.Split(','))
        {
            if (!TryHost(host, out var endpoint))
                return false;
            endpoints.Add(endpoint);
        }
        if (endpoints.Count > 1 && _scheme.Topology == RespTopology.Standalone)
        {
            var s = _scheme.Tls ? "s" : "";
            return Fail($"The URL names {endpoints.Count} hosts for one server. Write redis{s}+cluster:// for a Cluster, or redis{s}-sentinel://hosts/name.");
        }
        Options = Options with { Endpoints = endpoints };
        return true;
    }

    private bool TryHost(string text, out RespEndpoint endpoint)
    {
        endpoint = default;
        var bracket = text.LastIndexOf(']');
        var colon = text.IndexOf(':', Math.Max(bracket, 0));
        var host = colon < 0 ? text : text[..colon];
        if (bracket < 0 && colon >= 0 && text.IndexOf(':', colon + 1) >= 0)
            return Fail("A host has more than one ':'. Write an IPv6 address in brackets: redis://[::1]:6379.");
        if (host.Length == 0)
            return Fail("A host is missing. Write redis://host:6379.");
        var isAddress = host[0] == '[' && bracket == host.Length - 1;
        if (Uri.CheckHostName(host) is UriHostNameType.Unknown || host[0] == '[' != isAddress)
            return Fail("A host is neither a name nor an address. Write redis://host:6379, with an IPv6 address in brackets.");
        var port = _scheme.Topology == RespTopology.Sentinel ? RespEndpoint.DefaultSentinelPort : RespEndpoint.DefaultPort;
        if (colon >= 0 && !RespEndpoint.TryParsePort(text.AsSpan(colon + 1), out port))
            return Fail("A port is not a number from 1 to 65535. (A password goes before the host: redis://:password@host:6379.)");
        endpoint = new RespEndpoint(isAddress ? host[1..^1] : host, port);
        return true;
    }

    private bool TryPath(string path)
    {
        if (_scheme.Topology == RespTopology.Sentinel)
        {
            var slash = path.IndexOf('/');
            var name = slash < 0 ? path : path[..slash];
            if (!TryDecode(name, out var decoded) || decoded.Length == 0)
                return Fail("The name of the primary is missing. Write redis-sentinel://host1,host2/name.");
            Options = Options with { PrimaryName = decoded };
            path = slash < 0 ? "" : path[(slash + 1)..];
        }
        if (path.Length == 0)
            return true;
        if (!int.TryParse(path, NumberStyles.None, CultureInfo.InvariantCulture, out var database))
            return Fail("The database after the host is not a whole number. Write redis://host:6379/0, or leave it out.");
        if (_scheme.Topology == RespTopology.Cluster && database != 0)
            return Fail($"Database {database} cannot be selected: a Cluster has only database 0. Leave it out.");
        Options = Options with { Database = database };
        return true;
    }

    private bool TryQuery(string query)
    {
        foreach (var pair in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=');
            if (equals < 0 || !TryDecode(pair[(equals + 1)..], out var value) || value.Length == 0)
                return Fail("An option after '?' has no value. Write name=value, with '%' as %25.");
            if (!TryOption(pair[..equals], value))
                return false;
        }
        return true;
    }

    private bool TryOption(string name, string value)
    {
        switch (name)
        {
            case "tls_ca_file" or "tls_verify" when Options.Tls is null:
                return Fail($"The option {name} needs TLS. Write rediss:// instead of redis://.");
            case "tls_ca_file":
                Options = Options with { Tls = Options.Tls! with { CaFile = value } };
                return true;
            case "tls_verify" when value is "on" or "off":
                Options = Options with { Tls = Options.Tls! with { SkipVerification = value is "off" } };
                return true;
            case "tls_verify":
                return Fail("The option tls_verify is neither 'on' nor 'off'.");
            case "sentinel_user" or "sentinel_password" when _scheme.Topology != RespTopology.Sentinel:
                return Fail($"The option {name} is for redis-sentinel:// only.");
            case "sentinel_user":
                Options = Options with { SentinelUser = value };
                return true;
            case "sentinel_password":
                Options = Options with { SentinelPassword = value };
                return true;
            default:
                return Fail("An option after '?' is not known. There are tls_ca_file, tls_verify, sentinel_user and sentinel_password.");
        }
    }

    private static bool TryDecode(string text, out string decoded)
    {
        decoded = "";
        for (var i = text.IndexOf('%'); i >= 0; i = text.IndexOf('%', i + 1))
        {
            if (i + 2 >= text.Length || !char.IsAsciiHexDigit(text[i + 1]) || !char.IsAsciiHexDigit(text[i + 2]))
                return false;
        }
        decoded = Uri.UnescapeDataString(text);
        return true;
    }

    private bool Fail(string problem)
    {
        Problem = problem;
        return false;
    }
}
