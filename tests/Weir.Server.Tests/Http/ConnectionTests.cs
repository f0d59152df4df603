using System.Text;

namespace Weir.Server.Tests.Http;

/// <summary>What happens on the wire below single requests: many on one connection, in pieces, at once, or broken.</summary>
public sealed class ConnectionTests
{
    private const string CheckBody = """{"key":"wire","cost":2}""";

    private static readonly string Check = $"POST /check HTTP/1.1\r\nHost: node\r\nContent-Length: {CheckBody.Length}\r\n\r\n{CheckBody}";

    [Fact]
    public async Task KeepAlive_OneConnectionServesAnyNumberOfRequests()
    {
        await using var node = await RunningNode.StartAsync();
        using var connection = await node.ConnectAsync();

        for (var i = 1; i <= 120; i++)
            Assert.Equal(i <= 100 ? 200 : 429, (await connection.AskAsync("/rate-limit/alice")).Status);
    }

    [Fact]
    public async Task Pipelining_AnswersInTheOrderOfTheRequests()
    {
        await using var node = await RunningNode.StartAsync();
        using var connection = await node.ConnectAsync();
        var all = string.Concat(Enumerable.Range(0, 16).Select(i => (i % 4) switch
        {
            0 => RawConnection.Request($"/rate-limit/key-{i}"),
            1 => Check,
            2 => RawConnection.Request("/nowhere"),
            _ => RawConnection.Request("/health"),
        }));

        await connection.SendAsync(all);

        for (var i = 0; i < 16; i += 4)
        {
            Assert.Equal($"key-{i}", (await connection.ReadAsync()).String("key"));
            Assert.Equal(98 - (i / 4 * 2), (await connection.ReadAsync()).Number("remaining"));
            (await connection.ReadAsync()).Problem(404);
            Assert.Equal("test-node", (await connection.ReadAsync()).String("node"));
        }
    }

    [Fact]
    public async Task Pipelining_SixteenOfOneKey_CountDownOneByOne()
    {
        await using var node = await RunningNode.StartAsync(("DEFAULT_LIMIT", "10"));
        using var connection = await node.ConnectAsync();

        await connection.SendAsync(string.Concat(Enumerable.Repeat(RawConnection.Request("/rate-limit/alice"), 16)));

        for (var i = 1; i <= 16; i++)
        {
            var reply = await connection.ReadAsync();
            Assert.Equal((i <= 10 ? 200 : 429, Math.Max(0, 10 - i)), (reply.Status, reply.Number("remaining")));
        }
    }

    [Fact]
    public async Task Requests_ThatArriveByteByByte_AreTheSame()
    {
        await using var node = await RunningNode.StartAsync();
        using var connection = await node.ConnectAsync();

        foreach (var letter in RawConnection.Request("/rate-limit/caf%C3%A9?cost=3") + Check)
            await connection.SendAsync(letter.ToString());

        Assert.Equal(("café", 97), (await connection.ReadAsync() is var first ? (first.String("key"), first.Number("remaining")) : default));
        Assert.Equal(98, (await connection.ReadAsync()).Number("remaining"));
    }

    [Fact]
    public async Task Body_InChunks_IsPutTogether()
    {
        await using var node = await RunningNode.StartAsync();
        using var connection = await node.ConnectAsync();
        var chunks = string.Concat(CheckBody.Select(c => $"1\r\n{c}\r\n"));

        await connection.SendAsync($"POST /check HTTP/1.1\r\nHost: node\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n");

        Assert.Equal(98, (await connection.ReadAsync()).Number("remaining"));
    }

    [Fact]
    public async Task Body_AfterExpectContinue_IsAskedFor()
    {
        await using var node = await RunningNode.StartAsync();
        using var connection = await node.ConnectAsync();

        await connection.SendAsync($"POST /check HTTP/1.1\r\nHost: node\r\nExpect: 100-continue\r\nContent-Length: {CheckBody.Length}\r\n\r\n");
        Assert.Equal(100, (await connection.ReadAsync(hasBody: false)).Status);
        await connection.SendAsync(CheckBody);

        Assert.Equal(98, (await connection.ReadAsync()).Number("remaining"));
    }

    [Fact]
    public async Task Body_ThatIsTooLargeAndNotSentYet_IsRefusedBeforeItIs()
    {
        await using var node = await RunningNode.StartAsync();
        using var connection = await node.ConnectAsync();

        await connection.SendAsync("POST /check HTTP/1.1\r\nHost: node\r\nExpect: 100-continue\r\nContent-Length: 1048577\r\n\r\n");

        (await connection.ReadAsync()).Problem(413, "body");
    }

    [Fact]
    public async Task Body_FarTooLarge_IsRefusedUnread()
    {
        await using var node = await RunningNode.StartAsync();
        using var connection = await node.ConnectAsync();

        await connection.SendAsync("POST /check HTTP/1.1\r\nHost: node\r\nContent-Length: 9000000000000000000\r\n\r\n");

        (await connection.ReadAsync()).Problem(413, "body");
        Assert.True(await connection.IsClosedAsync());
    }

    [Fact]
    public async Task Body_ThatNeverComesWhole_ChargesNothing()
    {
        await using var node = await RunningNode.StartAsync();
        using var connection = await node.ConnectAsync();

        await connection.SendAsync(Check[..^1]);
        connection.FinishSending();

        await connection.DrainAsync();
        Assert.Equal(100, await node.RemainingAsync("wire"));
    }

    [Theory]
    [InlineData("GET /rate-limit/alice HTTP/1.1\r\n\r\n")]
    [InlineData("GET /rate-limit/alice HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")]
    [InlineData("GET /rate-limit/alice\r\nHost: node\r\n\r\n")]
    [InlineData("GET /rate-limit/alice HTTP/9.9\r\nHost: node\r\n\r\n")]
    [InlineData("GET /rate-limit/al ice HTTP/1.1\r\nHost: node\r\n\r\n")]
    [InlineData("GET /rate-limit/%00 HTTP/1.1\r\nHost: node\r\n\r\n")]
    [InlineData("GET /rate-limit/caf\u00e9 HTTP/1.1\r\nHost: node\r\n\r\n")]
    [InlineData("GET rate-limit/alice HTTP/1.1\r\nHost: node\r\n\r\n")]
    [InlineData("GET /rate-limit/alice HTTP/1.1\r\nHost: node\r\nBad Header: x\r\n\r\n")]
    [InlineData("POST /check HTTP/1.1\r\nHost: node\r\nContent-Length: -1\r\n\r\n{}")]
    [InlineData("POST /check HTTP/1.1\r\nHost: node\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}")]
    [InlineData("POST /check HTTP/1.1\r\nHost: node\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")]
    [InlineData("\u0016\u0003\u0001\u0002\0\u0001\0\u0001")]
    public async Task Nonsense_IsRefusedAndChargesNothing(string request)
    {
        await using var node = await RunningNode.StartAsync();
        using var connection = await node.ConnectAsync();

        await connection.SendAsync(request);

        Assert.InRange((await connection.ReadAsync()).Status, 400, 505);
        Assert.Equal(0, (await node.GetAsync("/api/counters")).Number("total"));
        Assert.Equal(200, (await node.GetAsync("/rate-limit/alice")).Status);
    }

    [Fact]
    public async Task RequestLine_OfMoreThan8KiB_IsRefused()
    {
        await using var node = await RunningNode.StartAsync();
        using var connection = await node.ConnectAsync();

        await connection.SendAsync(RawConnection.Request("/rate-limit/" + new string('x', 9000)));

        Assert.Equal(414, (await connection.ReadAsync()).Status);
    }

    [Fact]
    public async Task OldHttp_IsAnsweredAndTheConnectionClosed()
    {
        await using var node = await RunningNode.StartAsync();
        using var connection = await node.ConnectAsync();

        await connection.SendAsync("GET /rate-limit/alice HTTP/1.0\r\n\r\n");

        Assert.Equal(99, (await connection.ReadAsync()).Number("remaining"));
        Assert.True(await connection.IsClosedAsync());
    }

    [Fact]
    public async Task TwentyAtOnce_AgainstALimitOfTen_AdmitExactlyTen()
    {
        await using var node = await RunningNode.StartAsync(("DEFAULT_LIMIT", "10"));
        using var client = node.NewClient();
        var body = new ByteArrayContent(Encoding.UTF8.GetBytes("""{"key":"crowd-4"}"""));

        for (var round = 0; round < 10; round++)
        {
            var path = $"/rate-limit/crowd-{round}";
            var replies = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => round == 4 && i % 2 == 0
                ? client.PostAsync("/check", body)
                : client.GetAsync(path)));

            Assert.Equal((10, 10), (replies.Count(r => (int)r.StatusCode == 200), replies.Count(r => (int)r.StatusCode == 429)));
        }
    }
}
