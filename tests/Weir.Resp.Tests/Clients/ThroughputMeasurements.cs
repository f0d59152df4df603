using Weir.TestKit.Redis;

namespace Weir.Resp.Tests.Clients;

/// <summary>The table of <c>docs/resp.md</c>. It measures and asserts nothing, so it runs only when asked for by name.</summary>
[Collection(nameof(Alone))]
public class ThroughputMeasurements
{
    private const int Rounds = 7;
    private static readonly TimeSpan Length = TimeSpan.FromMilliseconds(500);
    private static readonly RespCommand Get = RespCommand.Create("GET", "key");

    [Fact(Explicit = true)]
    public async Task Get_PipelinedAgainstOneAtATime()
    {
        Needs.Redis();
        await using var server = await RedisServer.StartAsync();
        server.Call("SET", "key", new string('x', 32));
        await using var shared = await ConnectAsync(server);
        var own = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => ConnectAsync(server)));
        using var turn = new SemaphoreSlim(1);
        foreach (var callers in new[] { 1, 16, 64 })
        {
            var (pipelined, oneAtATime, each) = (new List<double>(), new List<double>(), new List<double>());
            // By turns, so that a busy minute of the machine does not hit one of them only.
            for (var round = 0; round < Rounds; round++)
            {
                pipelined.Add(await MeasureAsync(callers, _ => shared, null));
                oneAtATime.Add(await MeasureAsync(callers, _ => shared, turn));
                each.Add(await MeasureAsync(callers, i => own[i], null));
            }
            TestContext.Current.TestOutputHelper!.WriteLine(
                $"{callers} callers: shared and pipelined {Median(pipelined):N0}/s, one at a time {Median(oneAtATime):N0}/s, a connection each {Median(each):N0}/s");
        }
        foreach (var client in own)
            await client.DisposeAsync();
    }

    private static async Task<RespClient> ConnectAsync(RedisServer server)
    {
        var client = new RespClient(RespOptions.Parse($"redis://127.0.0.1:{server.Port}"));
        await client.ConnectAsync();
        return client;
    }

    private static async Task<double> MeasureAsync(int callers, Func<int, RespClient> client, SemaphoreSlim? turn)
    {
        var since = TimeProvider.System.GetTimestamp();
        var counts = await Task.WhenAll(Enumerable.Range(0, callers).Select(i => Task.Run(() => CallAsync(client(i), turn, since))));
        return counts.Sum() / TimeProvider.System.GetElapsedTime(since).TotalSeconds;
    }

    private static async Task<long> CallAsync(RespClient client, SemaphoreSlim? turn, long since)
    {
        var count = 0L;
        while (TimeProvider.System.GetElapsedTime(since) < Length)
        {
            if (turn is not null)
                await turn.WaitAsync();
            using (var reply = await client.SendAsync(Get))
                reply.ThrowIfNoValue();
            turn?.Release();
            count++;
        }
        return count;
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}
