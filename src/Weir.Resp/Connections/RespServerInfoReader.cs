namespace Weir.Resp;

/// <summary>
/// Reads what a server says about itself: the reply to <c>HELLO</c>, and the texts of <c>INFO</c> where the user may see them.
/// </summary>
internal static class RespServerInfoReader
{
    public static RespServerInfo Read(int protocol, RespReply hello, RespReply server, RespReply replication)
    {
        var facts = new Dictionary<string, string>(StringComparer.Ordinal);
        if (protocol == 3)
            AddHello(facts, hello);
        AddInfo(facts, server);
        AddInfo(facts, replication);
        return Read(protocol, facts);
    }

    /// <summary>The number at the start of a version, so without what marks a candidate for release.</summary>
    internal static Version? ParseVersion(string? text)
    {
        var end = 0;
        while (text is not null && end < text.Length && (char.IsAsciiDigit(text[end]) || text[end] == '.'))
            end++;
        return Version.TryParse(text?[..end], out var version) ? version : null;
    }

    private static RespServerInfo Read(int protocol, Dictionary<string, string> facts)
    {
        var valkey = facts.GetValueOrDefault("valkey_version");
        var isValkey = valkey is not null || facts.GetValueOrDefault("server_name", facts.GetValueOrDefault("server", "")) == "valkey";
        var redis = ParseVersion(facts.GetValueOrDefault("redis_version", facts.GetValueOrDefault("version", "")));
        return new RespServerInfo
        {
            Product = isValkey ? RespProduct.Valkey : RespProduct.Redis,
            Version = ParseVersion(valkey) ?? redis,
            RedisVersion = redis,
            Mode = facts.GetValueOrDefault("redis_mode", facts.GetValueOrDefault("server_mode", facts.GetValueOrDefault("mode", ""))) switch
            {
                "cluster" => RespServerMode.Cluster,
                "sentinel" => RespServerMode.Sentinel,
                _ => RespServerMode.Standalone,
            },
            Role = facts.GetValueOrDefault("role", "") switch
            {
                "master" or "primary" => RespRole.Primary,
                "slave" or "replica" => RespRole.Replica,
                _ => RespRole.Unknown,
            },
            Protocol = protocol,
            RunId = facts.GetValueOrDefault("run_id", ""),
            ReplicationId = facts.GetValueOrDefault("master_replid", ""),
        };
    }

    private static void AddHello(Dictionary<string, string> facts, RespReply hello)
    {
        var reader = hello.Root();
        if (reader.Type is not (RespType.Map or RespType.Array))
            return;
        for (var due = reader.Count; due > 1; due -= 2)
        {
            reader.Read();
            var name = reader.GetString() ?? "";
            reader.Read();
            if (reader.Count > 0)
                reader.Skip();
            else if (!RespTypes.IsAggregate(reader.Type))
                facts[name] = reader.GetString() ?? "";
        }
    }

    private static void AddInfo(Dictionary<string, string> facts, RespReply info)
    {
        if (!info.IsValue || info.GetString() is not { } text)
            return;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            var colon = line.IndexOf(':');
            if (colon > 0 && line[0] != '#')
                facts[line[..colon].ToString()] = line[(colon + 1)..].ToString();
        }
    }
}
