using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Weir.Stack.Tests.Running;

namespace Weir.Stack.Tests.Files;

/// <summary>What the files say, as Compose understands them. No stack is up.</summary>
[Collection("1 files")]
public sealed partial class PolicyTests
{
    // They run once and end: nobody waits for their health, and nothing restarts them.
    private static readonly string[] OneShots = ["secrets-check", "loadgen"];

    [Fact]
    public async Task A6_NothingOutdatedIsUsedAndFailuresShowInDevelopment()
    {
        foreach (var file in Directory.GetFiles(Checkout.Repository, "compose*.yaml"))
            Assert.DoesNotMatch(@"(?m)^version:|^\s+links:|wait-for|dockerize|container_name:", await File.ReadAllTextAsync(file));
        foreach (var service in await Combination.Development.ServicesAsync())
            Assert.Equal((service.Name, "no"), (service.Name, service.Value.At("restart").Text()));
    }

    [Fact]
    public async Task A8_EveryVariableIsInTheExampleAndHasADefault()
    {
        var example = await File.ReadAllTextAsync(Path.Combine(Checkout.Repository, ".env.example"));
        var shown = Shown().Matches(example).Select(static m => m.Groups["name"].Value).ToHashSet();
        var used = new List<(string File, string Name, string Behind)>();
        foreach (var file in Directory.GetFiles(Checkout.Repository, "compose*.yaml"))
        {
            // Comments use nothing, and $$ is a dollar sign inside of the container.
            var lines = (await File.ReadAllLinesAsync(file)).Where(static l => !l.TrimStart().StartsWith('#'));
            var text = string.Join('\n', lines).Replace("$$", "", StringComparison.Ordinal);
            used.AddRange(Used().Matches(text).Select(m => (Path.GetFileName(file), m.Groups["name"].Value, m.Groups["behind"].Value)));
        }

        Assert.NotEmpty(used);
        Assert.All(used, u => Assert.Contains(u.Name, shown));
        Assert.Empty(shown.Except(used.Select(static u => u.Name)));
        // TLS needs a certificate, and there is none to be had by default: that variable says so.
        Assert.All(used, static u => Assert.True(u.Behind is ":-" or ":?", $"{u.File}: {u.Name} has no default"));
    }

    [Fact]
    public async Task C4_MemoryIsLimitedAndHalfOfItReserved()
    {
        var services = await Combination.Production.ServicesAsync();
        foreach (var (name, mebibytes) in new (string, int)[] { ("db", 512), ("redis", 256), ("api", 256), ("ratelimiter-1", 256), ("ratelimiter-2", 256), ("ratelimiter-3", 256) })
        {
            var resources = services.First(s => s.Name == name).Value.At("deploy", "resources");
            Assert.Equal((name, $"{mebibytes * 1024 * 1024}"), (name, resources.At("limits", "memory").Text()));
            Assert.Equal((name, $"{mebibytes * 1024 * 1024 / 2}"), (name, resources.At("reservations", "memory").Text()));
        }
        Assert.All(services, static s => Assert.True(s.Value.At("deploy", "resources", "limits", "memory").Text().Length > 0, $"{s.Name} has no limit"));
    }

    [Fact]
    public async Task C5_ProcessorTimeIsLimited()
    {
        var services = await Combination.Production.ServicesAsync();
        foreach (var (name, cpus) in new (string, double)[] { ("db", 1.0), ("redis", 0.5), ("api", 0.5) })
            Assert.Equal((name, cpus), (name, double.Parse(services.First(s => s.Name == name).Value.At("deploy", "resources", "limits", "cpus").Text(), CultureInfo.InvariantCulture)));
    }

    [Fact]
    public async Task C10_OnlyTheBalancerHasAPortInProduction()
    {
        foreach (var combination in new[] { Combination.Base, Combination.Production, Combination.Scaled })
        {
            var published = (await combination.ServicesAsync()).Where(static s => s.Value.At("ports").Items().Count > 0).Select(static s => s.Name);
            Assert.Equal(["lb"], published);
        }
    }

    [Fact]
    public async Task C12_EveryCombinationIsValidWithTheExampleAlone()
    {
        foreach (var combination in Combination.All)
        {
            var config = (await combination.ConfigAsync("--quiet")).Ok();
            Assert.Equal((combination.Name, ""), (combination.Name, config.Text));
        }
    }

    [Fact]
    public async Task C12_DevelopmentOpensPortsOnThisMachineOnlyAndLimitsNothing()
    {
        foreach (var service in (await Combination.Development.ServicesAsync()).Where(static s => !OneShots.Contains(s.Name)))
        {
            var ports = service.Value.At("ports").Items();
            Assert.True(ports.Count > 0, $"{service.Name} has no port");
            Assert.All(ports, p => Assert.Equal((service.Name, "127.0.0.1"), (service.Name, p.At("host_ip").Text())));
            Assert.Equal((service.Name, ""), (service.Name, service.Value.At("deploy", "resources", "limits").Text()));
        }
    }

    [Fact]
    public async Task C12_ProductionRestartsWhatDiesAndMountsNoSources()
    {
        var services = (await Combination.Production.ServicesAsync()).Where(static s => !OneShots.Contains(s.Name)).ToList();
        Assert.All(services, static s => Assert.Equal((s.Name, s.Name == "api" ? "on-failure:3" : "unless-stopped"), (s.Name, s.Value.At("restart").Text())));
        var sources = services.SelectMany(static s => s.Value.At("volumes").Items().Where(static v => v.At("type").Text() == "bind").Select(v => (s.Name, Source: v.At("source").Text())));
        Assert.All(sources, static m => Assert.StartsWith(Path.Combine(Checkout.Repository, "deploy") + "/", m.Source));
    }

    [Fact]
    public async Task C14_EveryoneGetsTimeToEnd()
    {
        var services = await Combination.Production.ServicesAsync();
        foreach (var (name, seconds) in new (string, int)[] { ("db", 30), ("api", 10), ("redis", 10), ("ratelimiter-1", 10), ("ratelimiter-2", 10), ("ratelimiter-3", 10) })
            Assert.Equal((name, $"{seconds}s"), (name, services.First(s => s.Name == name).Value.At("stop_grace_period").Text()));
    }

    [Fact]
    public async Task C15_LogsAreRotated()
    {
        foreach (var combination in Combination.All)
        {
            foreach (var service in await combination.ServicesAsync())
            {
                var logging = service.Value.At("logging");
                Assert.Equal((service.Name, "json-file", "10m", "3"), (service.Name, logging.At("driver").Text(), logging.At("options", "max-size").Text(), logging.At("options", "max-file").Text()));
            }
        }
    }

    [Fact]
    public async Task C17_NothingCanWriteOrGainRights()
    {
        foreach (var combination in new[] { Combination.Production, Combination.Scaled, new("scaled with nginx", [.. Combination.Scaled.Files, "compose.nginx.yaml"]) })
        {
            foreach (var (name, service) in (await combination.ServicesAsync()).Select(static s => (s.Name, s.Value)))
            {
                Assert.Equal((name, "true"), (name, service.At("read_only").Text()));
                Assert.Contains("ALL", service.At("cap_drop").Items().Select(static c => c.Text()));
                Assert.Equal((name, 0), (name, service.At("cap_add").Items().Count));
                Assert.Contains("no-new-privileges:true", service.At("security_opt").Items().Select(static c => c.Text()));
                Assert.Equal((name, ""), (name, service.At("privileged").Text()));
                Assert.DoesNotContain("docker.sock", service.GetRawText());
                Assert.DoesNotMatch(":latest$|^[^:]+$", service.At("image").Text());
                if (!OneShots.Contains(name))
                    Assert.True(service.At("healthcheck", "test").Items().Count > 1 && service.At("healthcheck", "disable").Text() != "true" || IsCheckedByItsImage(service), $"{name} has no health check");
            }
        }
    }

    [Fact]
    public async Task E6_InstancesPublishNothingAndMountNoSources()
    {
        var api = (await Combination.Scaled.ServicesAsync()).First(static s => s.Name == "api").Value;
        Assert.Empty(api.At("ports").Items());
        Assert.Empty(api.At("volumes").Items());
        var resources = api.At("deploy", "resources");
        Assert.Equal((0.5, 0.25), (double.Parse(resources.At("limits", "cpus").Text()), double.Parse(resources.At("reservations", "cpus").Text())));
        Assert.Equal(("268435456", "134217728"), (resources.At("limits", "memory").Text(), resources.At("reservations", "memory").Text()));
    }

    private static bool IsCheckedByItsImage(JsonElement service) => service.At("healthcheck").ValueKind == JsonValueKind.Undefined && service.At("image").Text().StartsWith("weir:", StringComparison.Ordinal);

    [GeneratedRegex("(?m)^(# ?)?(?<name>[A-Z][A-Z0-9_]+)=", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Shown();

    [GeneratedRegex(@"\$\{?(?<name>[A-Z][A-Z0-9_]*)(?<behind>:[-?])?", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Used();
}
