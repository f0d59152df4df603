using Weir.Redis.Tests.Fleets;
using Weir.Redis.Tests.Sharing;

namespace Weir.Redis.Tests.Exactness;

/// <summary>Sliding windows with more requests than the log has instants: those that are put together come back a little later, and never earlier.</summary>
[Collection(nameof(OneByOne))]
public sealed class LongLogTests
{
    private const long Window = 100_000_000;
    private const long Instants = 1_024;
    private const long Quantum = Window / Instants;
    private const int Requests = 3_000;

    // Some quanta have three requests, and they do not begin together with them.
    private const long Step = 30_011;

    [Fact]
    public async Task Permits_ComeBackAtMostAThousandthLate_AndNeverEarly()
    {
        var time = new TestTime();
        await using var server = await Servers.StartAsync();
        await using var node = await time.StartAsync(server.Port);
        var charge = Counters.Charge(Counters.Rule(Requests, TimeSpan.FromMicroseconds(Window)), "key");
        var taken = await FillAsync(time, node, charge);
        Assert.False((await node.Engine.DecideAsync(charge)).IsAllowed);

        // The first thousand each take twelve bytes, and after that every part of the window does.
        Assert.InRange(LongestCounter(server), Instants * 12, 2 * Instants * 12);
        var late = 0;
        for (time.NowMicros = taken[^1]; time.NowMicros <= taken[^1] + Window + Quantum; time.NowMicros += 9_973)
        {
            var used = await Counters.UsedAsync(node, charge);
            var (least, most) = (CountAfter(taken, time.NowMicros - Window), CountAfter(taken, time.NowMicros - Window - Quantum));
            Assert.True(used >= least && used <= most, $"{used} count {time.NowMicros - taken[0]} us after the first, where {least} to {most} should");
            late += used > least ? 1 : 0;
        }
        Assert.Equal(0, await Counters.UsedAsync(node, charge));
        Assert.NotEqual(0, late);
    }

    [Fact]
    public async Task EveryCharge_CanBeGivenBack_OfALongLogToo()
    {
        var time = new TestTime();
        await using var server = await Servers.StartAsync();
        await using var node = await time.StartAsync(server.Port);
        var charge = Counters.Charge(Counters.Rule(Requests, TimeSpan.FromMicroseconds(Window)), "key");
        var stamps = await FillAsync(time, node, charge);
        // Those of the first thousand, which stand alone, have come back by themselves, and then most others.
        foreach (var first in (int[])[1_100, 2_600])
        {
            time.NowMicros = stamps[first] + Window + Quantum;
            var used = await Counters.UsedAsync(node, charge);
            for (var i = first + 20; i < stamps.Count && i < first + 1_000; i += 20)
            {
                Assert.Equal(1, await node.Engine.SettleAsync(charge, stamps[i], 0));
                Assert.Equal(--used, await Counters.UsedAsync(node, charge));
            }
            // Requests go on.
            stamps.Add((await node.Engine.DecideAsync(charge)).Stamp);
        }
    }

    // A request each step, until the limit is reached; tells the instants.
    private static async Task<List<long>> FillAsync(TestTime time, RedisNode node, Charge charge)
    {
        var stamps = new List<long>();
        for (var i = 0; i < Requests; i++, time.NowMicros += Step)
        {
            var decision = await node.Engine.DecideAsync(charge);
            Assert.True(decision.IsAllowed);
            Assert.Equal(time.NowMicros, decision.Stamp);
            stamps.Add(decision.Stamp);
        }
        return stamps;
    }

    private static int CountAfter(List<long> taken, long instant) => taken.Count(t => t > instant);

    private static long LongestCounter(TestKit.Redis.RedisServer server)
    {
        var reply = server.Call(
            "EVAL",
            """
            local longest = 0
            for _, key in ipairs(redis.call('KEYS', '*')) do
              if redis.call('TYPE', key).ok == 'hash' then
                for _, value in ipairs(redis.call('HVALS', key)) do longest = math.max(longest, #value) end
              end
            end
            return longest
            """,
            "0");
        return long.Parse(reply.Text, System.Globalization.CultureInfo.InvariantCulture);
    }
}
