using Weir.TestKit.Redis;

namespace Weir.Resp.Tests.Cluster;

public class RespSlotsTests
{
    [Theory]
    [InlineData("123456789", 12739)]
    [InlineData("", 0)]
    [InlineData("foo", 12182)]
    [InlineData("{foo}.bar", 12182)]
    [InlineData("x{foo}{bar}", 12182)]
    public void Of_KnownKeys(string key, int slot) => Assert.Equal(slot, RespSlots.Of(key));

    [Fact]
    public void Of_TextAndBytes_AreTheSame()
    {
        Assert.Equal(RespSlots.Of("schl\u00fcssel"u8), RespSlots.Of("schl\u00fcssel"));
        var large = new string('\u20ac', 1000);
        Assert.Equal(RespSlots.Of(System.Text.Encoding.UTF8.GetBytes(large)), RespSlots.Of(large));
    }

    [Fact]
    public async Task Of_RandomKeys_IsWhatTheServerSays()
    {
        Needs.Redis();
        await using var server = await RedisServer.StartAsync("--cluster-enabled", "yes");
        using var client = PlainClient.Connect(server.Port);
        var random = new Random(17);
        string[] keys = ["{}", "{}a", "{a", "a}", "}{", "{{a}}", "{a}{b}", "{}{a}", .. Enumerable.Range(0, 300).Select(_ => Key(random))];
        foreach (var key in keys)
            Assert.Equal(client.Call("CLUSTER", "KEYSLOT", key).Text, $"{RespSlots.Of(key)}");
    }

    private static string Key(Random random) => new([.. Enumerable.Range(0, random.Next(30)).Select(_ => "{}abc\u00e9:0"[random.Next(8)])]);
}
