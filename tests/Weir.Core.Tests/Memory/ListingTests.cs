using Weir.TestKit;

namespace Weir.Core.Tests.Memory;

public class ListingTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task TablesThatGrowAndShrinkBetweenPages_LoseNoCounter()
    {
        using var engine = new MemoryEngine(time: _time);
        var lasting = RuleOf("lasting", TimeSpan.FromHours(1));
        var passing = RuleOf("passing", TimeSpan.FromMilliseconds(10));
        var random = new Random(11);
        var ids = Enumerable.Range(0, 3_000).Select(_ => Take(engine, lasting, random)).ToHashSet();
        var seen = new List<CounterId>();
        long cursor = 0;
        do
        {
            // Pages alternate between a full house and an empty one.
            for (var i = 0; i < 300; i++)
                _ = Take(engine, passing, random);
            if (seen.Count % 2 == 0)
            {
                _time.Advance(TimeSpan.FromSeconds(2));
                engine.Sweep();
            }
            var page = await engine.ListAsync(cursor, 50, blockedOnly: false);
            Assert.InRange(page.Counters.Count, cursor == 0 ? 1 : 0, 51);
            seen.AddRange(page.Counters.Where(c => c.Next.Rule == lasting).Select(c => c.Id));
            cursor = page.Next;
        }
        while (cursor != 0);
        Assert.Equal(ids.Count, seen.Distinct().Count());
        Assert.True(ids.SetEquals(seen), "A counter was listed that was never made, or missed.");
    }

    [Fact]
    public async Task Views_SayWhatIsUsed_AndWhatComesNext()
    {
        using var engine = new MemoryEngine(time: _time);
        foreach (var algorithm in Enum.GetValues<AlgorithmKind>())
        {
            var rule = Rule.Create(new RuleOptions { Algorithm = algorithm, Permits = 3 });
            _ = engine.Decide(new Charge(rule, new CounterId((ulong)algorithm, 1), 2, CounterLabel.OfKey(algorithm.ToName())), engine.Clock.NowMicros);
            _ = engine.Decide(new Charge(rule, new CounterId((ulong)algorithm, 3), 3, CounterLabel.OfKey($"{algorithm.ToName()}, blocked")), engine.Clock.NowMicros);
        }
        foreach (var _ in Enumerable.Range(0, 3))
        {
            var all = (await engine.ListAsync(0, 100, blockedOnly: false)).Counters;
            var blocked = (await engine.ListAsync(0, 100, blockedOnly: true)).Counters;
            Assert.Equal(10, all.Count);
            Assert.All(all.Where(c => c.Used == 2), c => Assert.Equal((1, 0, Outcome.Allowed), (c.Look.Remaining, c.Next.Remaining, c.Next.Outcome)));
            Assert.Equal(5, blocked.Count);
            Assert.All(blocked, c => Assert.Equal((3, 0, Outcome.Refused, true), (c.Used, c.Look.Remaining, c.Next.Outcome, c.Label.EndsWith("blocked"))));
        }
    }

    [Theory]
    [InlineData(-1, 10)]
    [InlineData(0, 0)]
    [InlineData(0, 10_001)]
    public async Task OutOfRange_IsRefused(long cursor, int count)
    {
        using var engine = new MemoryEngine(time: _time);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(async () => await engine.ListAsync(cursor, count, blockedOnly: false));
    }

    private static CounterId Take(MemoryEngine engine, Rule rule, Random random)
    {
        var id = new CounterId((ulong)random.NextInt64() << 1, (ulong)random.NextInt64() << 1 | 1);
        Assert.True(engine.Decide(new Charge(rule, id, 1, CounterLabel.OfKey("k")), engine.Clock.NowMicros).IsAllowed);
        return id;
    }

    private static Rule RuleOf(string name, TimeSpan window) =>
        Rule.Create(new RuleOptions { Name = name, Algorithm = AlgorithmKind.TokenBucket, Permits = 1, Window = window });
}
