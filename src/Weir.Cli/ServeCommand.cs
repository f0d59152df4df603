using System.CommandLine;
using Weir.Server.Configuration;
using Weir.Server.Hosting;

namespace Weir.Cli;

/// <summary><c>weir serve</c>: runs a node until it is told to stop.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var printConfig = new Option<bool>("--print-config") { Description = "Print the settings in force, with their sources and without secrets, and exit." };
        var flags = NodeSettings.All.Select(FlagOf).ToArray();
        var command = new Command("serve", "Run a node. Every setting is a flag or an environment variable; a flag wins.");
        foreach (var flag in flags)
            command.Options.Add(flag);
        command.Options.Add(printConfig);
        command.SetAction((parsed, cancellationToken) =>
        {
            var options = NodeOptions.FromProcess(Given(parsed, flags));
            if (parsed.GetValue(printConfig))
                Print(options, parsed.InvocationConfiguration);
            var config = TryConfigure(options, parsed.InvocationConfiguration.Error);
            if (config is null || parsed.GetValue(printConfig))
                return Task.FromResult(config is null ? ExitCode.No : ExitCode.Ok);
            ReceiveInPlace(config);
            return Node.RunAsync(config, cancellationToken);
        });
        return ExampleHelp.With(command,
            ("weir serve", "listen on port 8000, allow 100 requests a minute per key"),
            ("weir serve --default-limit 10 --default-window-ms 1000", "allow 10 a second instead"),
            ("weir serve --rules /etc/weir/rules.yaml", "decide by rules, and follow their changes"),
            ("RATELIMITER_NODE_PORT=9000 weir serve --print-config", "see what would be in force"));
    }

    // Requests are answered by the threads that wait for sockets, instead of being handed to another one each: deciding never blocks, and what might is moved to the
    // pool by the node. With Redis one processor is left to Redis and the kernel, where there are several: threads that have to wake each other for an answer cost more
    // than they bring. The runtime reads this when it opens its first socket; the environment's own word wins.
    private static void ReceiveInPlace(NodeConfig config)
    {
        SetDefault("DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS", "1");
        if (config.Redis is not null)
            SetDefault("DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT", $"{Math.Max(1, Environment.ProcessorCount - 1)}");
    }

    private static void SetDefault(string name, string value)
    {
        if (Environment.GetEnvironmentVariable(name) is null)
            Environment.SetEnvironmentVariable(name, value);
    }

    private static Option<string> FlagOf(Setting setting) => new(setting.Flag)
    {
        HelpName = setting.Name[(setting.Name.LastIndexOf('_') + 1)..].ToLowerInvariant(),
        Description = $"{setting.Description} [{setting.Name}, default: {setting.DefaultNote ?? setting.Default}]",
    };

    private static IEnumerable<KeyValuePair<string, string>> Given(ParseResult parsed, Option<string>[] flags) =>
        from flag in flags
        where parsed.GetResult(flag) is { Implicit: false }
        select KeyValuePair.Create(flag.Name, parsed.GetValue(flag) ?? "");

    private static void Print(NodeOptions options, InvocationConfiguration streams)
    {
        SettingsReport.WriteEffective(options, streams.Output);
        foreach (var warning in options.Warnings)
            streams.Error.WriteLine($"weir: {warning}");
    }

    private static NodeConfig? TryConfigure(NodeOptions options, TextWriter errors)
    {
        var problems = new List<string>();
        var config = NodeConfig.TryCreate(options, problems);
        foreach (var problem in problems)
            errors.WriteLine($"weir: {problem}");
        return config;
    }
}
