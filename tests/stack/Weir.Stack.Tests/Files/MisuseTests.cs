using System.Net;
using System.Net.Sockets;
using Weir.Stack.Tests.Running;

namespace Weir.Stack.Tests.Files;

/// <summary>What goes wrong before anything starts, each said in one clear line.</summary>
[Collection("1 files")]
public sealed class MisuseTests(Stacks stacks)
{
    [Fact]
    public async Task M1_MissingSecretsAreNamed()
    {
        var empty = Directory.CreateTempSubdirectory();
        var check = await CheckAsync("production", [("SECRETS_DIR", empty.FullName)]);
        empty.Delete();

        Assert.Equal(1, check.ExitCode);
        foreach (var name in new[] { "db_password", "redis_password", "admin_token", "api_keys" })
            Assert.Single(check.Errors.Split('\n'), l => l.Contains(name, StringComparison.Ordinal) && l.Contains("missing", StringComparison.Ordinal));
    }

    [Fact]
    public async Task M2_TheSecretsOfDevelopmentDoNotStartProduction()
    {
        var check = await CheckAsync("production", [("SECRETS_DIR", Path.Combine(stacks.Development.Folder, "deploy/development/secrets"))]);

        Assert.Equal(1, check.ExitCode);
        foreach (var name in new[] { "db_password", "redis_password", "admin_token", "api_keys" })
            Assert.Single(check.Errors.Split('\n'), l => l.Contains(name, StringComparison.Ordinal) && l.Contains("development", StringComparison.Ordinal));
    }

    [Fact]
    public async Task M3_ATakenPortIsNamed()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;

        var check = await CheckAsync("development", [("LB_PORT", $"{port}")]);

        Assert.Equal(1, check.ExitCode);
        Assert.Single(check.Errors.Split('\n'), l => l.Contains($"{port}", StringComparison.Ordinal) && l.Contains("LB_PORT", StringComparison.Ordinal));
    }

    [Fact]
    public async Task M4_EveryMistakeInEnvIsNamed()
    {
        var file = Path.Combine(stacks.Development.Folder, ".env");
        await File.WriteAllTextAsync(file, "LB_PORT=eighty\nLB_PROT=8080\nAPI_REPLICAS=99\nthis is nothing\nREDIS_VERSION=latest\nLOG_LEVEL=\"info\" # well\n");
        CommandResult check;
        try
        {
            check = await CheckAsync("development", []);
        }
        finally
        {
            File.Delete(file);
        }

        Assert.Equal(1, check.ExitCode);
        var lines = check.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(static l => l.Contains(".env", StringComparison.Ordinal)).ToList();
        Assert.Equal(5, lines.Count);
        foreach (var word in new[] { "eighty", "LB_PROT", "99", "this is nothing", "latest" })
            Assert.Single(lines, l => l.Contains(word, StringComparison.Ordinal));
    }

    [Fact]
    public async Task M5_AnOldComposeOrEngineIsTurnedAway()
    {
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            var docker = Path.Combine(folder.FullName, "docker");
            await File.WriteAllTextAsync(docker, "#!/bin/sh\ncase \"$1\" in compose) echo 2.20.3 ;; version) echo 19.03.15 ;; esac\n");
            File.SetUnixFileMode(docker, UnixFileMode.UserRead | UnixFileMode.UserExecute);

            var check = await CheckAsync("development", [("PATH", $"{folder.FullName}:{Environment.GetEnvironmentVariable("PATH")}")]);

            Assert.Equal(1, check.ExitCode);
            Assert.Single(check.Errors.Split('\n'), static l => l.Contains("2.20.3", StringComparison.Ordinal) && l.Contains("2.24.4", StringComparison.Ordinal));
            Assert.Single(check.Errors.Split('\n'), static l => l.Contains("19.03.15", StringComparison.Ordinal));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private Task<CommandResult> CheckAsync(string mode, (string Name, string Value)[] environment)
    {
        var all = new Dictionary<string, string>(stacks.Development.Environment);
        foreach (var (name, value) in environment)
            all[name] = value;
        return Shell.RunAsync("bash", ["deploy/scripts/check.sh", mode], stacks.Development.Folder, all);
    }
}
