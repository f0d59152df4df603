using System.Diagnostics;
using System.Text.RegularExpressions;
using Weir.Server.Tests.Http;
using Weir.Server.Tests.Shared;
using Weir.TestKit.Redis;

namespace Weir.Server.Tests.Pages;

/// <summary>Opens the dashboard in a real browser, where there is one.</summary>
public sealed class DashboardBrowserTests
{
    private static readonly string[] Programs = ["chromium", "chromium-browser", "google-chrome"];

    [Fact]
    public async Task Dashboard_ShowsKeysOfStrangersAsText()
    {
        var browser = FindBrowser();
        Assert.SkipUnless(browser is not null, $"None of {string.Join(", ", Programs)} is on the PATH; install Chromium to run this test.");
        await using var node = await RunningNode.OnRealTimeAsync(null, ("DEFAULT_LIMIT", "2"), ("NODE_ID", "<b>n\"1</b>"));
        string[] keys = ["<script>document.title='taken'</script>", "\"><img src=x onerror=\"document.title='taken'\">", "'quoted' & \"so\""];
        foreach (var key in keys)
        {
            for (var i = 0; i < 3; i++)
                await node.GetAsync($"/rate-limit/{Uri.EscapeDataString(key)}");
        }

        var page = await OpenAsync(browser!, node.Node.Address);

        Assert.All(keys, key => Assert.Equal(2, CountCells(page, key)));
        Assert.Contains("<title>Weir – &lt;b&gt;n\"1&lt;/b&gt;</title>", page);
        Assert.Matches("id=\"state\" data-state=\"ready\">ready<", page);
        Assert.Matches("id=\"t-active\"[^>]*>3<", page);
        Assert.Matches("id=\"t-allowed-sum\">6 in all<", page);
        Assert.DoesNotContain("data-kind=\"bad\"", page.Replace("<noscript>", "", StringComparison.Ordinal).Split("</noscript>")[^1]);
    }

    [Fact]
    public async Task Dashboard_ShowsAllNodes_AndWhatIsWrongWithRedis()
    {
        var browser = FindBrowser();
        Assert.SkipUnless(browser is not null, $"None of {string.Join(", ", Programs)} is on the PATH; install Chromium to run this test.");
        await using var nodes = await SharedNodes.WithNodesAsync(2, ("DEFAULT_LIMIT", "1"));
        await nodes[0].GetAsync("/rate-limit/alice");
        await Eventually.IsTrueAsync(async () => !(await nodes[0].GetAsync("/api/nodes")).Text.Contains("starting"), "both are ready");

        var page = await OpenAsync(browser!, nodes[0].Node.Address);
        Assert.Matches("id=\"engine\"[^>]*>redis<", page);
        Assert.Contains(">2 nodes share counters<", page);
        Assert.Contains(">http://host-2:", page);
        Assert.Equal(2, Regex.Count(page, "data-state=\"ready\">ready</span></td>", RegexOptions.None, TimeSpan.FromSeconds(5)));

        await nodes.Server.KillAsync();
        await Eventually.IsTrueAsync(async () => await nodes[0].NotReadyAsync() is not null, "the node is not ready");
        page = await OpenAsync(browser!, nodes[0].Node.Address);
        Assert.Matches("id=\"engine\"[^>]*>redis, degraded<", page);
        Assert.Contains(">not ready<", page);
        Assert.Contains($">This node should not get requests. Redis at {nodes.Url}: Nothing listens there.", page);
        Assert.Contains(">Not known: Redis cannot be asked.<", page);
    }

    // Once among the blocked and once among the counters.
    private static int CountCells(string page, string key)
    {
        var text = key.Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;");
        return Regex.Count(page, $">{Regex.Escape(text)}</td>", RegexOptions.None, TimeSpan.FromSeconds(5));
    }

    private static string? FindBrowser() => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .SelectMany(folder => Programs.Select(name => Path.Combine(folder, name)))
        .FirstOrDefault(File.Exists);

    /// <summary>Runs the page for six seconds of its own time, which the browser lets pass as fast as answers come, and returns what it then shows.</summary>
    private static async Task<string> OpenAsync(string browser, Uri address)
    {
        var profile = Directory.CreateTempSubdirectory("weir-browser-");
        try
        {
            using var process = Process.Start(new ProcessStartInfo(browser,
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync", $"--user-data-dir={profile.FullName}", "--no-proxy-server",
                "--virtual-time-budget=6000", "--dump-dom", address.ToString(),
            ])
            { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
            var errors = process.StandardError.ReadToEndAsync();
            var page = process.StandardOutput.ReadToEndAsync();
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            await using var giveUp = patience.Token.Register(() => process.Kill(entireProcessTree: true));
            await process.WaitForExitAsync(CancellationToken.None);
            await errors;
            return await page;
        }
        finally
        {
            profile.Delete(recursive: true);
        }
    }
}
