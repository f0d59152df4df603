using System.Text;

namespace Weir.Server.Tests.Http;

/// <summary>Bodies that say nothing sensible: each is refused with field and cure, and no counter moves.</summary>
public sealed class CheckBadInputTests(CheckBadInputTests.UsedNode used) : IClassFixture<CheckBadInputTests.UsedNode>
{
    private static readonly string Long = new('x', 513);

    /// <summary>A node on which some permits are taken, so that a change of any counter shows.</summary>
    public sealed class UsedNode : IAsyncLifetime
    {
        internal RunningNode Node { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Node = await RunningNode.WithRulesAsync("""
                domain: default
                descriptors:
                  - key: user
                    rate_limit: { name: per-user, limit: 5, window: 1m }
                """);
            foreach (var body in new[] { """{"key":"alice","cost":3}""", """{"key":"alice","limit":5}""", """{"descriptors":[{"entries":[{"key":"user","value":"a"}]}]}""" })
                Assert.Equal(200, (await Node.PostAsync("/check", body)).Status);
        }

        public ValueTask DisposeAsync() => Node.DisposeAsync();
    }

    public static TheoryData<string, string, string> Fields => new()
    {
        { "{}", "key", "is missing. Give a key, or a domain and descriptors." },
        { """{"cost":1}""", "key", "is missing" },
        { """{"domain":"default"}""", "key", "is missing" },
        { """{"key":""}""", "key", "is empty. Give 1 to 512 bytes of UTF-8." },
        { """{"key":null}""", "key", "null must be text in quotes." },
        { """{"key":5}""", "key", "5 must be text in quotes." },
        { """{"key":{"key":"a"}}""", "key", "an object must be text in quotes." },
        { """{"\udc00":1}""", "body", "is not valid UTF-8" },
        { """{"key":["a"]}""", "key", "a list must be text in quotes." },
        { $$"""{"key":"{{Long}}"}""", "key", "is 513 bytes long and may be 512. Send a hash of it instead." },
        { $$"""{"key":"{{new string('é', 257)}}"}""", "key", "is 514 bytes long" },
        { """{"key":"\ud800"}""", "key", "is not valid UTF-8" },
        { """{"key":"alice","domain":"default"}""", "key", "Give one or the other." },
        { """{"key":"alice","descriptors":[{"entries":[{"key":"user"}]}]}""", "key", "Give one or the other." },
        { """{"key":"alice","cost":-1}""", "cost", "'-1' must be a whole number from 0 to 1,000,000." },
        { """{"key":"alice","cost":0.5}""", "cost", "'0.5' must be" },
        { """{"key":"alice","cost":1.0}""", "cost", "'1.0' must be" },
        { """{"key":"alice","cost":1e2}""", "cost", "'1e2' must be" },
        { """{"key":"alice","cost":1E+2}""", "cost", "'1E+2' must be" },
        { """{"key":"alice","cost":1000001}""", "cost", "'1000001' must be" },
        { """{"key":"alice","cost":99999999999999999999999999999999999999999999}""", "cost", "'9999999999999999999999999999999999999999...' must be" },
        { """{"key":"alice","cost":1e999}""", "cost", "'1e999' must be" },
        { """{"key":"alice","cost":"5"}""", "cost", "'5' must be a whole number" },
        { """{"key":"alice","cost":null}""", "cost", "null must be a whole number" },
        { """{"key":"alice","cost":true}""", "cost", "true must be a whole number" },
        { """{"key":"alice","cost":[1]}""", "cost", "a list must be a whole number" },
        { """{"key":"alice","cost":{"n":1}}""", "cost", "an object must be a whole number" },
        { """{"key":"alice","limit":-1}""", "limit", "'-1' must be" },
        { """{"key":"alice","limit":0}""", "limit", "'0' must be a whole number from 1 to" },
        { """{"key":"alice","limit":2.5}""", "limit", "'2.5' must be" },
        { """{"key":"alice","limit":1e3}""", "limit", "'1e3' must be" },
        { """{"key":"alice","limit":"10"}""", "limit", "'10' must be" },
        { """{"key":"alice","limit":4294967296}""", "limit", "'4294967296' must be" },
        { """{"key":"alice","limit":1000001}""", "limit", "1000001 must be" },
        { """{"key":"alice","window_ms":0}""", "window_ms", "'0' must be a whole number from 1 to 31,622,400,000." },
        { """{"key":"alice","window_ms":-60000}""", "window_ms", "'-60000' must be" },
        { """{"key":"alice","window_ms":0.5}""", "window_ms", "'0.5' must be" },
        { """{"key":"alice","window_ms":31622400001}""", "window_ms", "'31622400001' must be" },
        { """{"key":"alice","window_ms":"1m"}""", "window_ms", "'1m' must be" },
        { """{"key":"alice","cots":1}""", "cots", "is not a field of this call. Known: key, domain, descriptors, cost, limit, window_ms, checks." },
        { """{"key":"alice","Cost":1}""", "Cost", "is not a field of this call" },
        { """{"key":"alice","ttl_ms":1000}""", "ttl_ms", "is not a field of this call" },
        { """{"key":"alice","receipt":"1"}""", "receipt", "is not a field of this call" },
        { """{"key":"alice","key":"bob"}""", "key", "is given twice. Give it once." },
        { """{"key":"alice","\u006bey":"bob"}""", "key", "is given twice. Give it once." },
        { """{"key":"alice","cost":1,"cost":1}""", "cost", "is given twice" },
        { """{"descriptors":[]}""", "descriptors", "is empty. Give 1 to 64." },
        { """{"descriptors":null}""", "descriptors", "must be a list of 1 to 64." },
        { """{"descriptors":{}}""", "descriptors", "must be a list of 1 to 64." },
        { """{"descriptors":[5]}""", "descriptors[0]", "must be a JSON object." },
        { """{"descriptors":[{}]}""", "descriptors[0].entries", "is missing. Give 1 or more." },
        { """{"descriptors":[{"entries":[]}]}""", "descriptors[0].entries", "is empty. Give 1 to 16." },
        { """{"descriptors":[{"entries":[{}]}]}""", "descriptors[0].entries[0].key", "is empty" },
        { """{"descriptors":[{"entries":[{"key":""}]}]}""", "descriptors[0].entries[0].key", "is empty" },
        { """{"descriptors":[{"entries":[{"key":"user","value":5}]}]}""", "descriptors[0].entries[0].value", "5 must be text" },
        { $$"""{"descriptors":[{"entries":[{"key":"user","value":"{{Long}}"}]}]}""", "descriptors[0].entries[0].value", "is 513 bytes long" },
        { """{"descriptors":[{"entries":[{"key":"user","vaule":"a"}]}]}""", "descriptors[0].entries[0].vaule", "Known: key, value." },
        { """{"descriptors":[{"entries":[{"key":"user"}],"hits":1}]}""", "descriptors[0].hits", "Known: entries, cost, rate_limit." },
        { """{"descriptors":[{"entries":[{"key":"user"}],"cost":-1}]}""", "descriptors[0].cost", "'-1' must be" },
        { """{"descriptors":[{"entries":[{"key":"user"}],"limit":5}]}""", "descriptors[0].limit", "is not a field" },
        { """{"descriptors":[{"entries":[{"key":"user"}]}],"limit":5}""", "limit", "goes with a key" },
        { """{"descriptors":[{"entries":[{"key":"user"}]}],"window_ms":5}""", "window_ms", "goes with a key" },
        { $$"""{"descriptors":[{"entries":[{{Repeat("""{"key":"user"}""", 17)}}]}]}""", "descriptors[0].entries", "has more than 16" },
        { $$"""{"descriptors":[{{Repeat("""{"entries":[{"key":"user"}]}""", 65)}}]}""", "descriptors", "has more than 64" },
        { """{"domain":"web","descriptors":[{"entries":[{"key":"user","value":"a"}]}]}""", "domain", "'web' is not known. Known domains: default." },
        { """{"domain":"","descriptors":[{"entries":[{"key":"user","value":"a"}]}]}""", "domain", "'' is not known" },
        { """{"domain":7,"descriptors":[{"entries":[{"key":"user","value":"a"}]}]}""", "domain", "7 must be text" },
        { """{"checks":[]}""", "checks", "is empty. Give 1 to 1,000." },
        { """{"checks":null}""", "checks", "must be a list of 1 to 1,000." },
        { """{"checks":[null]}""", "checks[0]", "must be a JSON object." },
        { """{"checks":[[{"key":"alice"}]]}""", "checks[0]", "must be a JSON object." },
        { """{"checks":[{"checks":[{"key":"alice"}]}]}""", "checks[0].checks", "is not a field" },
        { """{"checks":[{"key":"alice"}],"key":"bob"}""", "checks", "stands beside other fields" },
        { """{"cost":1,"checks":[{"key":"alice"}]}""", "checks", "stands beside other fields" },
        { """{"checks":[{"key":"alice"},{"key":"alice","cost":-1}]}""", "checks[1].cost", "'-1' must be" },
        { """{"checks":[{"key":"alice"},{"key":""}]}""", "checks[1].key", "is empty" },
        { """{"checks":[{"key":"alice"},{"key":"alice","limit":1000001}]}""", "checks[1].limit", "1000001 must be" },
        { """{"checks":[{"key":"alice"},{"descriptors":[{"entries":[{"key":"user","value":"a"}]}]},{"domain":"web","descriptors":[{"entries":[{"key":"x"}]}]}]}""", "checks[2].domain", "'web' is not known" },
    };

    public static TheoryData<string> Broken => new("", " ", "[]", "null", "5", "\"alice\"", "{", "}", "{\"key\"}", "{\"key\":}", "{\"key\":\"alice\"", "{\"key\":\"alice\",}",
        "{'key':'alice'}", "{key:\"alice\"}", "{\"key\":\"alice\"}{}", "{\"key\":\"alice\"} x", "{\"key\":\"alice\"} // why", "{\"key\":\"a\nb\"}", "{\"key\":\"\\x\"}",
        "{\"key\":\"alice\",\"cost\":NaN}", "{\"key\":\"alice\",\"cost\":01}", "{\"key\":\"alice\",\"cost\":+1}", "{\"key\":\"alice\",\"cost\":.5}", "\ufeff{\"key\":\"alice\"}",
        new string('[', 100_000), "key=alice&cost=1", "key: alice");

    [Theory]
    [MemberData(nameof(Fields))]
    public Task Field_ThatIsWrong_IsNamedWithTheCure(string body, string field, string cure) => AssertRefusedAsync("/check", body, field, cure);

    [Theory]
    [InlineData("/reserve", """{"key":"alice"}""", "cost", "is missing. Give the most that the request may cost.")]
    [InlineData("/reserve", """{"key":"alice","cost":1,"ttl_ms":999}""", "ttl_ms", "'999' must be a whole number from 1,000 to 3,600,000.")]
    [InlineData("/reserve", """{"key":"alice","cost":1,"ttl_ms":3600001}""", "ttl_ms", "'3600001' must be")]
    [InlineData("/reserve", """{"key":"alice","cost":1,"receipt":"1"}""", "receipt", "Known: key, domain, descriptors, cost, limit, window_ms, ttl_ms.")]
    [InlineData("/reserve", """{"checks":[{"key":"alice","cost":1}]}""", "checks", "is not a field")]
    [InlineData("/reserve", """{"descriptors":[{"entries":[{"key":"user","value":"a"}]}]}""", "cost", "is missing")]
    [InlineData("/refund", """{"key":"alice","cost":0}""", "cost", "0 gives nothing back. Give 1 or more.")]
    [InlineData("/refund", """{"key":"alice","cost":-1}""", "cost", "'-1' must be")]
    [InlineData("/refund", """{"key":"alice","receipt":"x"}""", "receipt", "'x' is not one")]
    [InlineData("/refund", """{"key":"alice","receipt":""}""", "receipt", "'' is not one")]
    [InlineData("/refund", """{"key":"alice","receipt":"1.2"}""", "receipt", "is for 2 limits and the request has 1")]
    [InlineData("/refund", """{"key":"alice","receipt":"99999999999999999999"}""", "receipt", "is not one")]
    [InlineData("/refund", """{"key":"alice","receipt":5}""", "receipt", "5 must be text")]
    [InlineData("/refund", """{"domain":"web","descriptors":[{"entries":[{"key":"user","value":"a"}]}]}""", "domain", "'web' is not known")]
    [InlineData("/commit", """{}""", "reservation", "is missing. Give the id that /reserve answered.")]
    [InlineData("/commit", """{"reservation":"x"}""", "actual", "is missing. Give the permits that were really used.")]
    [InlineData("/commit", """{"reservation":5,"actual":1}""", "reservation", "5 must be text")]
    [InlineData("/commit", """{"reservation":"x","actual":-1}""", "actual", "'-1' must be")]
    [InlineData("/commit", """{"reservation":"x","actual":1.5}""", "actual", "'1.5' must be")]
    [InlineData("/commit", """{"reservation":"x","actual":1000001}""", "actual", "'1000001' must be")]
    [InlineData("/commit", """{"reservation":"x","actual":1,"key":"alice"}""", "key", "Known: reservation, actual.")]
    [InlineData("/renew", """{}""", "reservation", "is missing")]
    [InlineData("/renew", """{"reservation":"x","actual":1}""", "actual", "Known: reservation.")]
    public Task Field_OfASettlement_ThatIsWrong_IsNamedWithTheCure(string path, string body, string field, string cure) => AssertRefusedAsync(path, body, field, cure);

    [Theory]
    [MemberData(nameof(Broken))]
    public async Task Body_ThatIsNotOneObject_IsRefused(string body)
    {
        await AssertRefusedAsync("/check", body, "body", "");
        foreach (var path in new[] { "/reserve", "/commit", "/renew", "/refund" })
            (await used.Node.PostAsync(path, body)).Problem(400);
    }

    [Theory]
    [InlineData("/check", """{"key":"alice","cost":12,"limit":5,"window_ms":1000}""")]
    [InlineData("/check", """{"checks":[{"key":"alice"},{"domain":"default","descriptors":[{"entries":[{"key":"user","value":"é"}],"cost":1}],"cost":1}]}""")]
    [InlineData("/reserve", """{"key":"alice","cost":1,"ttl_ms":1000}""")]
    [InlineData("/refund", """{"key":"alice","cost":1,"receipt":"1"}""")]
    public async Task Body_CutOffOrSpoiltAtAnyByte_IsRefused(string path, string body)
    {
        var before = await CountersAsync();
        var bytes = Encoding.UTF8.GetBytes(body);
        for (var i = 0; i < bytes.Length; i++)
        {
            (await used.Node.PostAsync(path, new ByteArrayContent(bytes, 0, i))).Problem(400, "body");
            var spoilt = (byte[])bytes.Clone();
            spoilt[i] = 0xFF;
            (await used.Node.PostAsync(path, new ByteArrayContent(spoilt))).Problem(400);
        }
        Assert.Equal(before, await CountersAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Body_OfMoreThanAMegabyte_IsRefusedAndOneOfAMegabyteIsNot(bool chunked)
    {
        var before = await CountersAsync();
        var body = Encoding.UTF8.GetBytes("""{"key":"alice","cost":0}""" + new string(' ', (1024 * 1024) - 24));

        Assert.Equal(200, (await SendAsync([.. body])).Status);
        Assert.Contains("1,048,576 bytes", (await SendAsync([.. body, (byte)' '])).Problem(413, "body"));
        Assert.Contains("1,048,576 bytes", (await SendAsync(new byte[5_000_000])).Problem(413, "body"));
        Assert.Equal(before, await CountersAsync());

        Task<Reply> SendAsync(byte[] bytes) => used.Node.PostAsync("/check", chunked ? new ChunkedContent(bytes) : new ByteArrayContent(bytes));
    }

    private sealed class ChunkedContent(byte[] bytes) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context) => stream.WriteAsync(bytes).AsTask();

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    private async Task AssertRefusedAsync(string path, string body, string field, string cure)
    {
        var before = await CountersAsync();

        var detail = (await used.Node.PostAsync(path, body)).Problem(400, field);

        Assert.StartsWith(field + ": ", detail, StringComparison.Ordinal);
        Assert.Contains(cure, detail);
        Assert.Equal(before, await CountersAsync());
    }

    private async Task<string> CountersAsync()
    {
        var counters = await used.Node.GetAsync("/api/counters");
        Assert.Equal(3, counters.Number("total"));
        return counters.Text;
    }

    private static string Repeat(string item, int times) => string.Join(',', Enumerable.Repeat(item, times));
}
