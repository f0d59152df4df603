using Weir.Stack.Tests.Running;

namespace Weir.Stack.Tests.Files;

/// <summary>What the programs themselves say of the settings that containers mount.</summary>
[Collection("1 files")]
public sealed class ProgramCheckTests
{
    private static string Deploy => Path.Combine(Checkout.Repository, "deploy");

    [Fact]
    public async Task S1_HaproxyTakesItsConfiguration()
    {
        var environment = (await Combination.Production.ReadAsync()).At("services", "lb", "environment").Members().SelectMany(static v => new[] { "-e", $"{v.Name}={v.Value.Text()}" }).ToList();
        foreach (var balance in new[] { "leastconn", "roundrobin" })
        {
            var check = await RunAsync("haproxy", "lb", [.. environment, "-e", $"LB_BALANCE={balance}", "-v", $"{Deploy}/haproxy:/usr/local/etc/haproxy:ro"], "haproxy", "-c", "-f", "/usr/local/etc/haproxy/haproxy.cfg");
            check.Ok();
            // It warns of what it will not do.
            Assert.DoesNotContain("[WARNING]", check.Text);
        }
    }

    [Fact]
    public async Task S2_NginxTakesItsConfigurations()
    {
        // Names of other services mean nothing without a network of the stack.
        string[] names = ["--add-host", "frontend:127.0.0.1", "--add-host", "api:127.0.0.1"];
        foreach (var balance in new[] { "leastconn", "roundrobin" })
        {
            (await RunAsync("nginx", "frontend", [.. names, "-v", $"{Deploy}/nginx:/etc/weir:ro", "-v", $"{Deploy}/nginx/balance/{balance}.conf:/etc/nginx/balance.conf:ro"],
                "nginx", "-t", "-c", "/etc/weir/nginx.conf")).Ok();
        }
        (await RunAsync("nginx", "frontend", [.. names, "-v", $"{Deploy}/frontend:/etc/weir:ro"], "nginx", "-t", "-c", "/etc/weir/nginx.conf")).Ok();
    }

    [Fact]
    public async Task S3_PrometheusTakesItsConfigurationsAndAlertsFireWhenTheyShould()
    {
        var inline = (await Combination.Development.ReadAsync()).At("configs", "prometheus", "content").Text();
        Assert.NotEqual("", inline);
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, inline.Replace("$$", "$", StringComparison.Ordinal));
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
            foreach (var configuration in new[] { file, $"{Deploy}/prometheus/prometheus.yml" })
            {
                (await RunAsync("prom/prometheus", "prometheus", ["-v", $"{configuration}:/etc/prometheus/prometheus.yml:ro", "-v", $"{Deploy}/prometheus/rules:/etc/prometheus/rules:ro"],
                    "promtool", "check", "config", "/etc/prometheus/prometheus.yml")).Ok();
            }
            string[] rules = ["-v", $"{Deploy}/prometheus:/check:ro"];
            (await RunAsync("prom/prometheus", "prometheus", rules, ["promtool", "check", "rules", .. Directory.GetFiles($"{Deploy}/prometheus/rules").Select(static f => $"/check/rules/{Path.GetFileName(f)}")])).Ok();
            (await RunAsync("prom/prometheus", "prometheus", rules, "promtool", "test", "rules", "/check/rules.test.yml")).Ok();
        }
        finally
        {
            File.Delete(file);
        }
    }

    // The image is the one that the stack would use.
    private static async Task<CommandResult> RunAsync(string repository, string service, string[] options, params string[] command)
    {
        var image = (await Combination.Production.ReadAsync()).At("services", service, "image").Text();
        Assert.StartsWith(repository, image);
        return await Shell.DockerAsync(["run", "--rm", "--network", "none", "--entrypoint", command[0], .. options, image, .. command[1..]]);
    }
}
