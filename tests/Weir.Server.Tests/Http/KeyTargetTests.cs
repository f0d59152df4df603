using System.Text;

namespace Weir.Server.Tests.Http;

/// <summary>Keys, queries and methods of <c>/rate-limit/{key}</c>, as they stand on the wire.</summary>
public sealed class KeyTargetTests
{
    public static TheoryData<string, string> Keys => new()
    {
        { "alice", "alice" },
        { "a%2Fb%2fc", "a/b/c" },
        { "a+b", "a+b" },
        { "a%20b", "a b" },
        { "100%25", "100%" },
        { "%252F", "%2F" },
        { "user:42@example.com;v=1,2", "user:42@example.com;v=1,2" },
        { "caf%C3%A9", "café" },
        { "%e4%b8%ad%E6%96%87", "中文" },
        { "%F0%9F%98%80", "😀" },
        { "%22quoted%22%5C", "\"quoted\"\\" },
        { "%3Cscript%3Ealert(1)%3C%2Fscript%3E", "<script>alert(1)</script>" },
        { "%7B%7D%7Bkey%7D", "{}{key}" },
        { "a%3Fcost%3D5", "a?cost=5" },
        { "%01%0A%0D%7F", "\u0001\n\r\u007f" },
        { "%EF%BB%BFbom", "\ufeffbom" },
        { "a%23b", "a#b" },
        { "%2E", "." },
        { "%2e%2E", ".." },
        { ".", "." },
        { "..", ".." },
        { "...", "..." },
        { "rate-limit", "rate-limit" },
        { "a'b|c^d~", "a'b|c^d~" },
    };

    [Theory]
    [MemberData(nameof(Keys))]
    public async Task Key_IsDecodedOnceAndShownAsItIs(string encoded, string key)
    {
        await using var node = await RunningNode.StartAsync();
        using var connection = await node.ConnectAsync();

        var reply = await connection.AskAsync($"/rate-limit/{encoded}");

        Assert.True(reply.Status == 200, reply.ToString());
        Assert.Equal("application/json", reply.Header("Content-Type"));
        Assert.Equal((key, 99), (reply.String("key"), reply.Number("remaining")));
        // The same key through a body is the same counter.
        Assert.Equal(98, (await node.PostAsync("/check", System.Text.Json.JsonSerializer.Serialize(new { key }))).Number("remaining"));
    }

    [Fact]
    public async Task Keys_ThatDifferInOneByte_CountApart()
    {
        await using var node = await RunningNode.StartAsync(("DEFAULT_LIMIT", "1"));
        using var connection = await node.ConnectAsync();

        foreach (var key in new[] { "a", "A", "a%20", "a+", "%01a", "a%01", "%C3%A9", "e%CC%81" })
            Assert.Equal(200, (await connection.AskAsync($"/rate-limit/{key}")).Status);
        Assert.Equal(429, (await connection.AskAsync("/rate-limit/%61")).Status);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("%C3%A9")]
    [InlineData("%F0%9F%98%80")]
    public async Task Key_OfExactly512Bytes_IsTakenAndOneMoreIsNot(string letter)
    {
        await using var node = await RunningNode.StartAsync();
        using var connection = await node.ConnectAsync();
        var longest = string.Concat(Enumerable.Repeat(letter, 512 / Uri.UnescapeDataString(letter).Sum(static c => char.IsAscii(c) ? 1 : 2)));

        var taken = await connection.AskAsync($"/rate-limit/{longest}");
        var refused = await connection.AskAsync($"/rate-limit/{longest}x");

        Assert.True(taken.Status == 200, taken.ToString());
        Assert.Equal(512, Encoding.UTF8.GetByteCount(taken.String("key")!));
        Assert.Equal("key: is more than 512 bytes long and may be 512. Send a hash of it instead.", refused.Problem(400, "key"));
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("?cost=1", "is empty")]
    [InlineData("a/b", "Write it as %2F")]
    [InlineData("../check", "Write it as %2F")]
    [InlineData("a/", "Write it as %2F")]
    [InlineData("%", "'%' is not a percent-encoded byte. Write a plain % as %25.")]
    [InlineData("a%2", "'%2' is not")]
    [InlineData("%zz", "'%zz' is not")]
    [InlineData("%+1", "'%+1' is not")]
    [InlineData("%u00e9", "'%u0' is not")]
    [InlineData("%FF", "not valid UTF-8")]
    [InlineData("%C3", "not valid UTF-8")]
    [InlineData("%C0%AF", "not valid UTF-8")]
    [InlineData("%ED%A0%80", "not valid UTF-8")]
    [InlineData("%F4%90%80%80", "not valid UTF-8")]
    public async Task Key_ThatIsNone_IsRefusedWithTheCure(string key, string cure)
    {
        await using var node = await RunningNode.StartAsync();
        using var connection = await node.ConnectAsync();

        var reply = await connection.AskAsync($"/rate-limit/{key}");

        Assert.Contains(cure, reply.Problem(400, "key"));
        Assert.Null(reply.Header("X-RateLimit-Limit"));
        Assert.Equal(200, (await connection.AskAsync("/rate-limit/next")).Status);
        Assert.Equal(1, (await node.GetAsync("/api/counters")).Number("total"));
    }

    [Theory]
    [InlineData("cost=-1", "cost", "'-1' must be a whole number from 0 to 1,000,000")]
    [InlineData("cost=1.0", "cost", "'1.0' must be")]
    [InlineData("cost=1.5", "cost", "'1.5' must be")]
    [InlineData("cost=1e3", "cost", "'1e3' must be")]
    [InlineData("cost=1000001", "cost", "'1000001' must be")]
    [InlineData("cost=99999999999999999999999", "cost", "'99999999999999999999999' must be")]
    [InlineData("cost=0x10", "cost", "'0x10' must be")]
    [InlineData("cost=", "cost", "'' must be")]
    [InlineData("cost", "cost", "'' must be")]
    [InlineData("cost=five", "cost", "'five' must be")]
    [InlineData("cost=%31", "cost", "'%31' must be")]
    [InlineData("cost=+1", "cost", "'+1' must be")]
    [InlineData("cost=1&cost=1", "cost", "is given twice")]
    [InlineData("Cost=1", "Cost", "is not a query parameter")]
    [InlineData("cots=5", "cots", "cost is the only one")]
    [InlineData("cost=1&limit=5", "limit", "is not a query parameter")]
    [InlineData("=5", "", "is not a query parameter")]
    public async Task Query_ThatSaysSomethingElse_IsRefusedWithTheCure(string query, string field, string cure)
    {
        await using var node = await RunningNode.StartAsync();
        using var connection = await node.ConnectAsync();

        var reply = await connection.AskAsync($"/rate-limit/alice?{query}");

        Assert.Contains(cure, reply.Problem(400, field));
        Assert.Equal(100, await node.RemainingAsync("alice"));
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("OPTIONS")]
    [InlineData("PATCH")]
    [InlineData("BREW")]
    public async Task Method_OtherThanGet_Is405(string method)
    {
        await using var node = await RunningNode.StartAsync();

        var reply = await node.SendAsync(new HttpMethod(method), "/rate-limit/alice");

        Assert.Contains($"{method} is not allowed here. Use GET or HEAD.", reply.Problem(405, "method"));
        Assert.Equal("GET, HEAD", reply.Header("Allow"));
        Assert.Equal(100, await node.RemainingAsync("alice"));
    }

    [Theory]
    [InlineData("http://node/rate-limit/alice")]
    [InlineData("http://node:80/rate-limit/alice?cost=1")]
    [InlineData("http://node/rate-limit/%61lice")]
    public async Task Target_InAbsoluteForm_IsTheSame(string target)
    {
        await using var node = await RunningNode.StartAsync();
        using var connection = await node.ConnectAsync();

        Assert.Equal("alice", (await connection.AskAsync(target)).String("key"));
        Assert.Equal(99, await node.RemainingAsync("alice"));
    }

    // A key that path rules fold away would otherwise be answered by another page, and its 200 be taken for a permission.
    [Theory]
    [InlineData("http://node/rate-limit/..", "..")]
    [InlineData("http://node/rate-limit/%2e%2e?cost=1", "..")]
    public async Task Target_InAbsoluteForm_KeepsDots(string target, string key)
    {
        await using var node = await RunningNode.StartAsync();
        using var connection = await node.ConnectAsync();

        Assert.Equal(key, (await connection.AskAsync(target)).String("key"));
    }

    [Theory]
    [InlineData("/%72ate-limit/alice")]
    [InlineData("/x/../rate-limit/alice")]
    [InlineData("/rate%2Dlimit/alice")]
    public async Task Target_ThatWritesThePathAnotherWay_NeverAllowsByMistake(string target)
    {
        await using var node = await RunningNode.StartAsync();
        using var connection = await node.ConnectAsync();

        var reply = await connection.AskAsync(target);

        Assert.True(reply.Status is 400 or 404 || reply.String("key") == "alice", reply.ToString());
    }

    [Theory]
    [InlineData("/rate-limit")]
    [InlineData("//rate-limit/alice")]
    [InlineData("/Rate-Limit/alice")]
    [InlineData("/x?y=/rate-limit/alice")]
    public async Task Target_ThatIsAnotherPath_Is404(string target)
    {
        await using var node = await RunningNode.StartAsync();
        using var connection = await node.ConnectAsync();

        (await connection.AskAsync(target)).Problem(404, "path");
    }
}
