using System.Net;
using Weir.Resp;

namespace AgentApi.Configuration;

/// <summary>The table of everything that can be set. The README lists the same.</summary>
internal sealed class AgentConfigReader(SettingsReader settings)
{
    public AgentConfig Read()
    {
        var (cache, cachePassword) = ReadCache();
        return new AgentConfig
        {
            Instance = settings.Word("INSTANCE_NAME", Environment.MachineName, 64),
            Address = ReadAddress(),
            Port = settings.Integer("PORT", 8080, 0, IPEndPoint.MaxPort),
            Database = DatabaseConfig.Read(settings),
            Cache = cache,
            CachePassword = cachePassword,
            ApiKeys = ApiKeys.Read(settings),
            Limiter = LimiterConfig.Read(settings),
            TrustedProxies = ReadTrustedProxies(),
            LogLevel = settings.Choice("LOG_LEVEL", LogLevel.Information, ("trace", LogLevel.Trace), ("debug", LogLevel.Debug),
                ("info", LogLevel.Information), ("warn", LogLevel.Warning), ("error", LogLevel.Error)),
            StartTimeout = Seconds("START_TIMEOUT_SECONDS", 30, 1, 600),
            Drain = Seconds("DRAIN_SECONDS", 3, 0, 600),
            ShutdownGrace = Seconds("SHUTDOWN_SECONDS", 5, 1, 600),
            FailHealthFile = settings.Text("FAIL_HEALTH_FILE"),
        };
    }

    private TimeSpan Seconds(string name, int fallback, int least, int most) => TimeSpan.FromSeconds(settings.Integer(name, fallback, least, most));

    private IPAddress ReadAddress()
    {
        var text = settings.Text("LISTEN_ADDRESS") ?? "0.0.0.0";
        if (!IPAddress.TryParse(text, out var address))
            settings.Report("LISTEN_ADDRESS", text, "must be an IP address, such as 0.0.0.0 for all");
        return address ?? IPAddress.Any;
    }

    private (RespOptions Options, SecretSource Password) ReadCache()
    {
        var url = settings.Text("REDIS_URL");
        if (url is not null && settings.IsGiven("CACHE_HOST"))
            settings.Report("REDIS_URL and CACHE_HOST", "both are set. Remove one of them.");
        var (password, source) = settings.Secret("CACHE_PASSWORD");
        var host = settings.Word("CACHE_HOST", "localhost", 253);
        var port = settings.Integer("CACHE_PORT", RespEndpoint.DefaultPort, 1, IPEndPoint.MaxPort);
        if (!RespOptions.TryParse(url ?? $"redis://{host}:{port}", out var options, out var problem))
            settings.Report(url is null ? "CACHE_HOST" : "REDIS_URL", problem);
        options ??= new RespOptions();
        if (password is not null && options.Password is not null)
            settings.Report("CACHE_PASSWORD", "REDIS_URL has a password too. Remove one of them.");
        source = options.Password is null ? source : SecretSource.Environment;
        return (options with { Password = options.Password ?? password, ClientName = "agent-api" }, source);
    }

    private List<IPNetwork> ReadTrustedProxies()
    {
        var networks = new List<IPNetwork>();
        foreach (var text in (settings.Text("TRUSTED_PROXIES") ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (IPNetwork.TryParse(text, out var network))
                networks.Add(network);
            else if (IPAddress.TryParse(text, out var address))
                networks.Add(new IPNetwork(address, address.GetAddressBytes().Length * 8));
            else
                settings.Report("TRUSTED_PROXIES", text, "must be an address or a network such as 172.18.0.0/16, several with commas between");
        }
        return networks;
    }
}
