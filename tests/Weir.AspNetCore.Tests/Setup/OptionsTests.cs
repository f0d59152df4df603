using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Weir.AspNetCore.Tests.Running;

namespace Weir.AspNetCore.Tests.Setup;

/// <summary>What is wrong with the set-up is told at start, all of it at once.</summary>
public sealed class OptionsTests
{
    [Fact]
    public async Task Problems_AreToldTogetherAtStart()
    {
        var problems = await ProblemsAsync(s => s.AddWeir(o =>
        {
            o.Domain = "";
            o.IPv6PrefixLength = 8;
            o.ApiKeyHeader = " ";
            o.AddLimit("a", -1, TimeSpan.Zero);
            o.AddLimit("b", l => (l.Burst, l.Cost) = (5, -1));
            o.AddLimit("c", l => (l.FromNode, l.Shadow) = (true, true));
            o.AddLimit("d", l => (l.Permits, l.Cost) = (5, 6));
            o.AddLimit("e", l => (l.By, l.Failure, l.Window) = ((LimitBy)9, (FailurePolicy)9, TimeSpan.FromMicroseconds(1500)));
            o.AddLimit("bad\nname", l => l.Permits = 1);
        }).UseNodes(n =>
        {
            n.Addresses.Add("http://node:8000");
            n.Addresses.Add("http://node:8000/");
            n.Addresses.Add("node:8000");
            n.Addresses.Add("http://node/path");
            (n.Timeout, n.MaxBatch, n.ConnectionsPerNode) = (TimeSpan.Zero, 0, 65);
            (n.MaxWaiting, n.ProbeInterval, n.Instances) = (0, TimeSpan.FromHours(1), 0);
        }));

        string[] expected =
        [
            "Domain '' must be 1 to 128",
            "IPv6PrefixLength 8 must be 16 to 128",
            "ApiKeyHeader is empty",
            "Limits 'a': limit -1 must be 0 to",
            "Limits 'a': window 0s must be 1ms to 366d",
            "Limits 'b': burst 5 is for token-bucket only",
            "Limits 'b': Cost -1 must be 0 to 1,000,000",
            "Limits 'c': Shadow is for the nodes' rules",
            "Limits 'd': Cost 6 is more than its 5 Permits",
            "Limits 'e': By 9 must be",
            "Limits 'e': Failure 9 must be",
            "Limits 'e': window 00:00:00.0015000 must be a whole number of milliseconds",
            "name must be 1 to 128 printable ASCII characters",
            "Addresses: 'http://node:8000' is given 2 times",
            "Addresses: 'node:8000' must be an http or https address",
            "Addresses: 'http://node/path' must be an http or https address without path",
            "Timeout 00:00:00 must be 5 ms to 1 minute",
            "MaxBatch 0 must be 1 to 1,000",
            "ConnectionsPerNode 65 must be 1 to 64",
            "MaxWaiting 0 must be 1 to 1,000,000",
            "ProbeInterval 01:00:00 must be 20 ms to 1 minute",
            "Instances 0 must be 1 to 10,000",
        ];
        Assert.All(expected, e => Assert.Contains(problems, p => p.Contains(e, StringComparison.Ordinal)));
        Assert.Equal(expected.Length, problems.Count);
    }

    [Fact]
    public async Task Redis_IsCheckedToo()
    {
        var problems = await ProblemsAsync(s => s.AddWeir(o => o.AddLimit("c", l => l.FromNode = true)).UseRedis("http://x", r => (r.Prefix, r.Instances) = ("a b", 0)));

        Assert.Equal(4, problems.Count);
        Assert.Contains("Limits 'c': FromNode needs nodes", problems[0]);
        Assert.StartsWith("Url: ", problems[1]);
        Assert.Contains("Prefix 'a b'", problems[2]);
    }

    [Fact]
    public async Task Memory_IsCheckedToo() =>
        Assert.Equal(["MaxCounters 1 must be 1,000 to 100,000,000."], await ProblemsAsync(s => s.AddWeir().UseMemory(m => m.MaxCounters = 1)));

    [Fact]
    public async Task Nodes_WithoutAddress_AreAMistake() =>
        Assert.Contains("Addresses has 0 entries", Assert.Single(await ProblemsAsync(s => s.AddWeir().UseNodes())));

    [Fact]
    public async Task Endpoint_ThatWantsAnUnknownLimit_StopsTheStart()
    {
        var failure = await Assert.ThrowsAsync<WeirOptionsException>(() => TestApp.StartAsync(
            s => s.AddWeir(o => o.AddLimit("login", 1, TimeSpan.FromMinutes(1))),
            a =>
            {
                a.MapGet("/a", () => "").RequireLimit("logn");
                a.MapGet("/b", () => "").RequireLimit("search");
            }));

        Assert.Equal(2, failure.Problems.Count);
        Assert.Contains("wants the limit 'logn', which is not set up. Known: login.", failure.Message);
    }

    [Fact]
    public void UseWeir_WithoutItsServices_SaysWhatIsMissing()
    {
        using var app = WebApplication.CreateSlimBuilder().Build() as IDisposable;

        Assert.Contains("AddWeir", Assert.Throws<InvalidOperationException>(() => ((IApplicationBuilder)app!).UseWeir()).Message);
    }

    [Fact]
    public async Task Options_CanComeFromConfiguration()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Weir:Domain"] = "shop",
            ["Weir:Failure"] = "Open",
            ["Weir:Limits:login:Permits"] = "2",
            ["Weir:Limits:login:Window"] = "01:00:00",
            ["Weir:Limits:login:By"] = "Everyone",
        }).Build();
        await using var app = await TestApp.StartAsync(
            s =>
            {
                s.AddWeir();
                s.Configure<WeirOptions>(configuration.GetSection("Weir"));
            },
            a => a.MapGet("/", () => "").RequireLimit("login"));

        Assert.Equal("200 200 429", await app.StatusesAsync(3, "/"));
    }

    [Fact]
    public async Task AddWeir_Twice_AddsToTheSame()
    {
        await using var app = await TestApp.StartAsync(
            s =>
            {
                s.AddWeir(o => o.AddLimit("a", 1, TimeSpan.FromHours(1))).UseNodes("http://127.0.0.1:9");
                s.AddWeir(o => o.AddLimit("b", 1, TimeSpan.FromHours(1))).UseMemory();
            },
            a => a.MapGet("/", () => "").RequireLimit("a").RequireLimit("b"));

        Assert.Equal("200 429", await app.StatusesAsync(2, "/"));
    }

    private static async Task<IReadOnlyList<string>> ProblemsAsync(Action<IServiceCollection> weir) =>
        (await Assert.ThrowsAsync<WeirOptionsException>(() => TestApp.StartAsync(weir, static _ => { }))).Problems;
}
