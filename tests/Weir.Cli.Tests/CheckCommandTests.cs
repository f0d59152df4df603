using System.Text.Json;

namespace Weir.Cli.Tests;

public sealed class CheckCommandTests
{
    private const string Allowed =
        """{"allowed":true,"key":"alice","rule":"default","limit":1000,"remaining":999,"reset_ms":59001,"retry_after_ms":0,"source":"exact"}""";

    private const string Refused =
        """{"type":"t","title":"T","status":429,"detail":"d","allowed":false,"key":"alice","rule":"login","limit":5,"remaining":0,"reset_ms":9000,"retry_after_ms":1234}""";

    private const string NeverFits =
        """{"status":429,"allowed":false,"key":"alice","rule":"login","limit":5,"remaining":5,"reset_ms":0,"retry_after_ms":null}""";

    private const string NoRule =
        """{"allowed":true,"key":"alice","rule":null,"limit":null,"remaining":null,"reset_ms":0,"retry_after_ms":0}""";

    [Theory]
    [InlineData(200, Allowed, 0, "allowed  alice: 999 of 1,000 left, full again in 1m (rule default)")]
    [InlineData(200, NoRule, 0, "allowed  alice: no limit applies")]
    [InlineData(429, Refused, 1, "refused  alice: 0 of 5 left, try again in 1s234ms (rule login)")]
    [InlineData(429, NeverFits, 1, "refused  alice: the cost exceeds what the limit can ever give, 5 of 5 left (rule login)")]
    public async Task Check_SaysWhatTheNodeDecided(int status, string body, int expectedExitCode, string expected)
    {
        using var node = new FakeNode(status, body);

        Assert.Equal((expectedExitCode, expected + "\n", ""), await Cli.RunAsync("check", "alice", "--url", node.Url));
    }

    [Fact]
    public async Task Check_WithJson_PrintsTheAnswerAsItIs()
    {
        using var node = new FakeNode(429, Refused);

        Assert.Equal((1, Refused + "\n", ""), await Cli.RunAsync("check", "alice", "--json", "--url", node.Url));
    }

    [Fact]
    public async Task Check_SendsKeyCostLimitAndWindow()
    {
        using var node = new FakeNode(200, Allowed);

        await Cli.RunAsync("check", "--cost", "3", "--limit", "5", "--window", "1m30s", "--url", node.Url, "--", "--../é\"");

        Assert.StartsWith("POST /check HTTP/1.1\r\n", node.Request);
        var body = JsonDocument.Parse(node.RequestBody).RootElement;
        Assert.Equal("--../é\"", body.GetProperty("key").GetString());
        Assert.Equal(3, body.GetProperty("cost").GetInt32());
        Assert.Equal(5, body.GetProperty("limit").GetInt32());
        Assert.Equal(90_000, body.GetProperty("window_ms").GetInt32());
    }

    [Fact]
    public async Task Check_WithAPlainKey_SendsCost1AndNoLimit()
    {
        using var node = new FakeNode(200, Allowed);

        await Cli.RunAsync("check", "@alice", "--url", node.Url);

        Assert.Equal("""{"key":"@alice","cost":1}""", node.RequestBody);
    }

    [Theory]
    [InlineData(400, """{"title":"Bad request","status":400,"detail":"cost: 5 must be less."}""", "answers 400: cost: 5 must be less.")]
    [InlineData(503, """{"title":"Busy","detail":"No counter could be made."}""", "answers 503: No counter could be made.")]
    [InlineData(404, "<html>\nnot found</html>", "answers 404: <html> not found</html>")]
    [InlineData(200, "hello", "is not a Weir node. Name one with --url.")]
    [InlineData(200, "[]", "is not a Weir node. Name one with --url.")]
    [InlineData(200, "{}", "is not a Weir node. Name one with --url.")]
    public async Task Check_WhenTheAnswerIsNoDecision_SaysSoAndExitsWith2(int status, string body, string problem)
    {
        using var node = new FakeNode(status, body);

        Assert.Equal((2, "", $"weir check: {node.Url} {problem}\n"), await Cli.RunAsync("check", "alice", "--url", node.Url));
    }

    [Fact]
    public async Task Check_WhenNobodyListens_SaysWhatToDo()
    {
        var url = FakeNode.UnusedUrl();

        Assert.Equal(
            (2, "", $"weir check: {url} does not answer: Connection refused. Start a node with 'weir serve', or name another with --url.\n"),
            await Cli.RunAsync("check", "alice", "--url", url));
    }

    [Theory]
    [InlineData("localhost:8000")]
    [InlineData("ftp://localhost")]
    [InlineData("nonsense")]
    public async Task Check_WithAUrlThatIsNone_SaysSo(string url) =>
        Assert.Equal((2, "", $"weir check: --url: '{url}' must be a URL such as http://localhost:8000.\n"), await Cli.RunAsync("check", "alice", "--url", url));
}
