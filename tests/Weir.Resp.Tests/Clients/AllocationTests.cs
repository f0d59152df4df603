using Weir.TestKit.Redis;

namespace Weir.Resp.Tests.Clients;

[Collection(nameof(Alone))]
public class AllocationTests
{
    private const int Callers = 16;
    private const int Rounds = 1_000;
    private static readonly int Slot = RespSlots.Of("key");

    [Theory]
    [InlineData("redis")]
    [InlineData("redis+cluster")]
    public async Task Send_OnceWarm_AllocatesNothing(string scheme)
    {
        Needs.Redis();
#if DEBUG
        Assert.Skip("Without optimization the compiler makes every asynchronous method allocate. Run it with -c Release.");
#endif
        await using var server = await RedisServer.StartAsync("--cluster-enabled", scheme == "redis" ? "no" : "yes");
        if (scheme != "redis")
        {
            server.Call("CLUSTER", "ADDSLOTSRANGE", "0", $"{RespSlots.Count - 1}");
            await Eventually.IsTrueAsync(() => server.Call("CLUSTER", "INFO").Text.Contains("cluster_state:ok"), "the Cluster of one is complete");
        }
        await using var client = RespClients.Create(RespOptions.Parse($"{scheme}://127.0.0.1:{server.Port}"));
        await client.ConnectAsync();
        var command = new Set("key"u8.ToArray());
        var least = double.MaxValue;
        for (var attempt = 0; attempt < 10 && least >= 1; attempt++)
        {
            var before = GC.GetTotalAllocatedBytes(precise: true);
            await Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => CallAsync(client, command)));
            least = Math.Min(least, (GC.GetTotalAllocatedBytes(precise: true) - before) / (double)(Callers * Rounds));
        }
        // The callers themselves, once each, and the pools while they grow: less than a byte a command when nothing else is allocated.
        Assert.True(least < 1, $"{least:0.00} bytes per command");
    }

    private static async Task CallAsync(IRespClient client, IRespCommand command)
    {
        await Task.Yield();
        for (var i = 0; i < Rounds; i++)
        {
            using var reply = await client.SendAsync(command, Slot, TimeSpan.FromSeconds(10));
            if (!reply.IsValue)
                throw new InvalidOperationException(reply.ErrorMessage);
        }
    }

    private sealed class Set(byte[] key) : IRespCommand
    {
        public void Write(ref RespCommandWriter writer)
        {
            writer.Begin(3);
            writer.Write("SET"u8);
            writer.Write(key);
            writer.Write(1_234_567L);
        }
    }
}
