using Weir.Resp;

namespace Weir.Server.Configuration;

/// <summary>Reads every setting before it gives up, so that all problems are told together.</summary>
internal sealed class NodeConfigReader(NodeOptions options, ICollection<string> problems)
{
    /// <summary>The configuration. It is of no use when problems were added.</summary>
    public NodeConfig? Read()
    {
        var failure = Get(NodeSettings.FailurePolicy);
        var rule = ReadDefaultRule(failure);
        var config = new NodeConfig
        {
            NodeId = Get(NodeSettings.NodeId) ?? "",
            Redis = ReadRedis(),
            RedisPrefix = Get(NodeSettings.RedisPrefix) ?? "",
            DecisionTimeout = TimeSpan.FromMilliseconds(Get(NodeSettings.DecisionTimeoutMillis)),
            NodeTtl = TimeSpan.FromMilliseconds(Get(NodeSettings.NodeTtlMillis)),
            Host = Get(NodeSettings.NodeHost) ?? "",
            Address = Get(NodeSettings.ListenAddress),
            Port = (int)Get(NodeSettings.NodePort),
            DefaultRule = rule!,
            RulesPath = Get(NodeSettings.Rules),
            AdminToken = ReadAdminToken(),
            FailurePolicy = failure,
            LogLevel = Get(NodeSettings.LogLevel),
            LogFormat = Get(NodeSettings.LogFormat),
            MaxCounters = (int)Get(NodeSettings.MaxCounters),
            ShutdownGrace = TimeSpan.FromMilliseconds(Get(NodeSettings.ShutdownGraceMillis)),
            Drain = TimeSpan.FromMilliseconds(Get(NodeSettings.DrainMillis)),
            Warnings = options.Warnings,
        };
        return rule is null ? null : config;
    }

    private T Get<T>(Setting<T> setting)
    {
        if (options.TextOf(setting) is not { } text)
            return default!;
        if (!setting.TryParse(text, out var value))
            problems.Add($"{Spoken(setting)}: '{setting.Mask(text)}' must be {setting.Expected}.");
        return value;
    }

    // The client knows best what is wrong with a URL, and shows no password.
    private RespOptions? ReadRedis()
    {
        if (options.TextOf(NodeSettings.RedisUrl) is not { } url)
            return null;
        if (!RespOptions.TryParse(url, out var redis, out var problem))
            problems.Add($"{Spoken(NodeSettings.RedisUrl)}: {problem}");
        return redis is not null && Get(NodeSettings.RedisPasswordFile) is { } path ? WithPassword(redis, path) : redis;
    }

    private RespOptions WithPassword(RespOptions redis, string path)
    {
        if (redis.Password is not null)
            problems.Add($"{Spoken(NodeSettings.RedisUrl)} has a password and {Spoken(NodeSettings.RedisPasswordFile)} is set. Remove one of them.");
        return redis with { Password = ReadSecretFile(NodeSettings.RedisPasswordFile, path) };
    }

    private Rule? ReadDefaultRule(FailurePolicy failure)
    {
        var before = problems.Count;
        var ruleOptions = new RuleOptions
        {
            Path = "default",
            Permits = Get(NodeSettings.DefaultLimit),
            Window = TimeSpan.FromMilliseconds(Get(NodeSettings.DefaultWindowMillis)),
            Algorithm = Get(NodeSettings.DefaultAlgorithm),
            Failure = failure,
        };
        if (problems.Count > before)
            return null;
        // Each value is fine by itself here, so what the rule refuses is their combination.
        var together = new List<string>();
        var rule = Rule.TryCreate(ruleOptions, together);
        foreach (var problem in together)
            problems.Add(problem.Replace("Rule 'default':", $"{Setting.Prefix}DEFAULT_LIMIT, _WINDOW_MS and _ALGORITHM:"));
        return rule;
    }

    private string? ReadAdminToken()
    {
        var (direct, file) = (NodeSettings.AdminToken, NodeSettings.AdminTokenFile);
        var given = options.TextOf(direct) is not null;
        if (given && options.TextOf(file) is not null)
        {
            if (options.SourceOf(direct) == options.SourceOf(file))
                problems.Add($"{Spoken(direct)} and {Spoken(file)} are both set. Remove one of them.");
            given = options.SourceOf(direct) >= options.SourceOf(file);
        }
        return given ? Get(direct) : Get(file) is { } path ? ReadSecretFile(file, path) : null;
    }

    private string? ReadSecretFile(Setting setting, string path)
    {
        try
        {
            var text = File.ReadAllText(path).Trim();
            if (text.Length > 0 && SettingFormats.Word.TryParse(text, out var secret))
                return secret;
            problems.Add($"{Spoken(setting)}: the text of '{path}' must be {SettingFormats.Word.Expected}.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            problems.Add($"{Spoken(setting)}: '{path}' cannot be read: {e.Message} Name a file that this user may read.");
        }
        return null;
    }

    /// <summary>The name by which the user knows the setting: the flag when that was used.</summary>
    private string Spoken(Setting setting) => options.SourceOf(setting) == SettingSource.Flag ? setting.Flag : setting.Name;
}
