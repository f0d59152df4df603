using System.Runtime.CompilerServices;
using Weir.Server.Configuration;

namespace Weir.Server.Tests.Configuration;

public sealed class SettingsReportTests
{
    private const string Begin = "<!-- settings: begin -->\n";
    private const string End = "<!-- settings: end -->\n";

    [Fact]
    public void WriteEffective_ShowsEveryValueItsSourceAndNoSecret()
    {
        var output = new StringWriter { NewLine = "\n" };
        var options = NodeOptions.From(
            [
                new("RATELIMITER_ADMIN_TOKEN", "s3cret"), new("RATELIMITER_NODE_ID", "a"),
                new("RATELIMITER_REDIS_URL", "redis://user:pw@host:6379"),
            ],
            [new("--node-port", "9000")]);

        SettingsReport.WriteEffective(options, output);

        var lines = output.ToString().TrimEnd('\n').Split('\n').Select(l => string.Join(' ', l.Split(' ', StringSplitOptions.RemoveEmptyEntries))).ToList();
        Assert.Equal(NodeSettings.All.Count, lines.Count);
        Assert.Contains("RATELIMITER_ADMIN_TOKEN=*** # env", lines);
        Assert.Contains("RATELIMITER_NODE_ID=a # env", lines);
        Assert.Contains("RATELIMITER_NODE_PORT=9000 # flag --node-port", lines);
        Assert.Contains("RATELIMITER_REDIS_URL=redis://***@host:6379 # env", lines);
        Assert.Contains("RATELIMITER_DEFAULT_LIMIT=100 # default", lines);
        Assert.Contains("RATELIMITER_RULES= # default (none, only the default rule)", lines);
    }

    [Theory]
    [InlineData("redis://host:6379", "redis://host:6379")]
    [InlineData("redis://user:pa%40ss@host:6379/1", "redis://***@host:6379/1")]
    [InlineData("redis-sentinel://:pw@a,b/main?sentinel_user=u&sentinel_password=s3cret", "redis-sentinel://***@a,b/main?***")]
    [InlineData("rediss://host?tls_ca_file=/etc/ca.pem", "rediss://host?tls_ca_file=/etc/ca.pem")]
    [InlineData("redis://user:s3cret", "***")]
    [InlineData("s3cret", "***")]
    public void WriteEffective_OfAUrl_HidesWhatIsSecret(string url, string shown)
    {
        var output = new StringWriter { NewLine = "\n" };

        SettingsReport.WriteEffective(NodeOptions.From([new("RATELIMITER_REDIS_URL", url)]), output);

        Assert.StartsWith($"RATELIMITER_REDIS_URL={shown} ", output.ToString().Split('\n').Single(static l => l.Contains("REDIS_URL")));
    }

    // To write the table anew after a change of the settings, run this test with WEIR_UPDATE_DOCS=1.
    [Fact]
    public void Documentation_ShowsTheTableOfSettings()
    {
        var path = Path.Combine(RepositoryRoot(), "docs", "configuration.md");
        var text = File.ReadAllText(path);
        var begin = text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        var end = text.IndexOf(End, StringComparison.Ordinal);
        if (Environment.GetEnvironmentVariable("WEIR_UPDATE_DOCS") == "1")
        {
            text = text[..begin] + SettingsReport.ToMarkdown() + text[end..];
            File.WriteAllText(path, text);
            end = text.IndexOf(End, StringComparison.Ordinal);
        }

        Assert.Equal(SettingsReport.ToMarkdown(), text[begin..end]);
    }

    private static string RepositoryRoot([CallerFilePath] string file = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", "..", ".."));
}
