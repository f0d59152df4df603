using System.Text.RegularExpressions;
using Weir.Server.Tests.Http;

namespace Weir.Server.Tests.Pages;

/// <summary>The dashboard loads from its node alone, and hands nothing to the browser as HTML.</summary>
public sealed partial class DashboardTests
{
    [Fact]
    public async Task Page_IsGuardedByAPolicy()
    {
        await using var node = await RunningNode.StartAsync();

        var page = await node.GetAsync("/");

        Assert.Equal(200, page.Status);
        Assert.Equal("text/html; charset=utf-8", page.Header("Content-Type"));
        Assert.Equal("nosniff", page.Header("X-Content-Type-Options"));
        Assert.Equal("no-cache", page.Header("Cache-Control"));
        var policy = page.Header("Content-Security-Policy")!.Split(';', StringSplitOptions.TrimEntries);
        Assert.Contains("default-src 'none'", policy);
        Assert.Contains("script-src 'self'", policy);
        Assert.Contains("connect-src 'self'", policy);
        Assert.Contains("frame-ancestors 'none'", policy);
        Assert.Contains("require-trusted-types-for 'script'", policy);
        Assert.DoesNotContain("unsafe", page.Header("Content-Security-Policy"));
    }

    [Fact]
    public async Task EveryPart_IsServed_AndComesFromTheNode()
    {
        await using var node = await RunningNode.StartAsync();

        var parts = await PartsAsync(node);

        Assert.Contains("dashboard/try.js", parts.Keys);
        Assert.All(parts, part => Assert.Equal(part.Key == "" ? "text/html" : TypeOf(part.Key), part.Value.Header("Content-Type")!.Split(';')[0]));
        // Of addresses only SVG's namespace may be there; it is a name that nobody loads.
        Assert.All(parts, part => Assert.DoesNotMatch(@"https?://(?!www\.w3\.org/2000/svg\b)|[""'(]//\w", part.Value.Text));
    }

    [Fact]
    public async Task Page_HasNoInlineScriptOrStyle()
    {
        await using var node = await RunningNode.StartAsync();

        var html = (await node.GetAsync("/")).Text;

        Assert.DoesNotMatch(@"<style|\sstyle=|\son\w+=|javascript:|<script(?![^>]*\ssrc=)", html);
    }

    [Fact]
    public async Task Scripts_PutInTextOnly()
    {
        await using var node = await RunningNode.StartAsync();

        var scripts = (await PartsAsync(node)).Where(p => p.Key.EndsWith(".js"));

        Assert.All(scripts, s => Assert.DoesNotMatch("innerHTML|outerHTML|insertAdjacentHTML|createContextualFragment|document\\.write|DOMParser|srcdoc|\\beval\\(|Function\\(", s.Value.Text));
    }

    [Fact]
    public async Task Scripts_LookForElementsThatAreThere()
    {
        await using var node = await RunningNode.StartAsync();
        var parts = await PartsAsync(node);

        var there = Ids().Matches(parts[""].Text).Select(m => m.Groups["name"].Value).ToList();
        var wanted = parts.Where(p => p.Key.EndsWith(".js")).SelectMany(p => Wanted().Matches(p.Value.Text)).Select(m => m.Groups["name"].Value).ToHashSet();

        Assert.Distinct(there);
        Assert.True(wanted.Count > 50, $"Only {wanted.Count} look-ups were found.");
        Assert.Empty(wanted.Except(there));
    }

    [Theory]
    [InlineData("/dashboard/nothing.js")]
    [InlineData("/dashboard/..%2Fopenapi.json")]
    [InlineData("/dashboard/dashboard.html")]
    public async Task UnknownPart_IsNotFound(string path)
    {
        await using var node = await RunningNode.StartAsync();

        (await node.GetAsync(path)).Problem(404);
    }

    /// <summary>The page, under an empty name, and all that it and its parts load.</summary>
    private static async Task<Dictionary<string, Reply>> PartsAsync(RunningNode node)
    {
        var parts = new Dictionary<string, Reply>(StringComparer.Ordinal);
        var open = new Queue<string>([""]);
        while (open.TryDequeue(out var name))
        {
            if (parts.ContainsKey(name))
                continue;
            var part = await node.GetAsync($"/{name}");
            Assert.True(part.Status == 200, $"{name}: {part}");
            parts[name] = part;
            var loads = name.Length == 0 ? Attributes().Matches(part.Text) : name.EndsWith(".js") ? Imports().Matches(part.Text) : Urls().Matches(part.Text);
            foreach (Match load in loads)
                open.Enqueue(name.Length == 0 ? load.Groups["name"].Value : $"dashboard/{load.Groups["name"].Value}");
        }
        return parts;
    }

    private static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".js" => "text/javascript",
        ".css" => "text/css",
        _ => "image/svg+xml",
    };

    [GeneratedRegex("""<(?!a )[^>]*\s(?:src|href)="(?<name>[^"]+)""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Attributes();

    [GeneratedRegex(@"(?:from|import) '\./(?<name>[^']+)'", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Imports();

    [GeneratedRegex(@"url\((?<name>[^)]+)\)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Urls();

    [GeneratedRegex("""\sid="(?<name>[^"]+)""", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Ids();

    [GeneratedRegex(@"\$\('(?<name>[^']+)'\)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Wanted();
}
