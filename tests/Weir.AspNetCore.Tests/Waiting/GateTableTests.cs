using Weir.AspNetCore.Waiting;
using Weir.TestKit;

namespace Weir.AspNetCore.Tests.Waiting;

public sealed class GateTableTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly GateTable _table;

    public GateTableTests() => _table = new GateTable(_time, maxGates: 3, maxWaiting: 10, maxClosed: TimeSpan.FromHours(1));

    public void Dispose() => _table.Dispose();

    [Fact]
    public void Hold_OfManyPartitions_KeepsNoMoreThanTheBound()
    {
        for (var i = 0; i < 10_000; i++)
        {
            using var held = new HeldGate(_table, $"p{i}");
            Assert.NotNull(held.Gate);
            Assert.InRange(_table.Count, 1, 3);
        }
    }

    [Fact]
    public void Hold_WhenFull_KeepsWhatIsClosedLongest()
    {
        Close("a", 10);
        Close("b", 30);
        Close("c", 20);
        using (new HeldGate(_table, "d"))
            Assert.Equal(3, _table.Count);
        Assert.Equal(30, ClosedFor("b"), 3);
        Assert.Equal(20, ClosedFor("c"), 3);
        Assert.Equal(0, ClosedFor("a"));
    }

    [Fact]
    public void Hold_WhenAllAreInUse_GivesNone()
    {
        using (new HeldGate(_table, "a"))
        using (new HeldGate(_table, "b"))
        using (new HeldGate(_table, "c"))
        {
            using var none = new HeldGate(_table, "d");
            Assert.Null(none.Gate);
            using var again = new HeldGate(_table, "a");
            Assert.NotNull(again.Gate);
        }
        using var now = new HeldGate(_table, "d");
        Assert.NotNull(now.Gate);
    }

    [Fact]
    public async Task Hold_FromManyThreads_GivesOneGateForOnePartition()
    {
        var random = new Random(3);
        var names = Enumerable.Range(0, 20_000).Select(_ => $"p{random.Next(6)}").ToList();
        await Parallel.ForEachAsync(names, async (name, _) =>
        {
            using var held = new HeldGate(_table, name);
            using var same = new HeldGate(_table, name);
            if (held.Gate is not null)
                Assert.Same(held.Gate, same.Gate);
            await Task.Yield();
        });
        Assert.InRange(_table.Count, 1, 3);
    }

    private void Close(string partition, int seconds)
    {
        using var held = new HeldGate(_table, partition);
        held.Gate!.Learn(new LimitHint(TimeSpan.FromSeconds(seconds), null, null), refused: true);
    }

    private double ClosedFor(string partition)
    {
        using var held = new HeldGate(_table, partition);
        return held.Gate!.ClosedFor.TotalSeconds;
    }
}
