using Weir.Server.Metrics;

namespace Weir.Server.Tests.Metrics;

public sealed class StripedCountersTests
{
    [Fact]
    public async Task Sum_AfterManyThreadsAdded_IsExact()
    {
        const int threads = 4;
        const int each = 200_000;
        var counters = new StripedCounters(3);

        await Task.WhenAll(Enumerable.Range(0, threads).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < each; i++)
            {
                counters.Increment(0);
                counters.IncrementAndAdd(1, 2, i);
            }
        })));

        Assert.Equal(threads * each, counters.Sum(0));
        Assert.Equal(threads * each, counters.Sum(1));
        Assert.Equal(threads * ((long)each * (each - 1) / 2), counters.Sum(2));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(9)]
    [InlineData(26)]
    public void Slots_DoNotOverlap(int slots)
    {
        var counters = new StripedCounters(slots);

        for (var slot = 0; slot < slots; slot++)
            counters.Add(slot, slot + 1);

        for (var slot = 0; slot < slots; slot++)
            Assert.Equal(slot + 1, counters.Sum(slot));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(3)]
    public void Sum_OfASlotThatIsNotThere_Throws(int slot) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new StripedCounters(3).Sum(slot));
}
