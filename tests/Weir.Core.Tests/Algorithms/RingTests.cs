namespace Weir.Core.Tests.Algorithms;

public class RingTests
{
    [Fact]
    public void RandomOperations_EqualAList()
    {
        var random = new Random(17);
        for (var round = 0; round < 300; round++)
        {
            var (ring, list) = (default(Ring<int>), new List<int>());
            for (var i = 0; i < 200; i++)
            {
                switch (random.Next(5))
                {
                    case 0:
                        var first = random.Next(list.Count + 1);
                        ring = ring.DropFirst(first);
                        list.RemoveRange(0, first);
                        break;
                    case 1:
                        var last = random.Next(Math.Min(3, list.Count) + 1);
                        ring = ring.DropLast(last);
                        list.RemoveRange(list.Count - last, last);
                        break;
                    default:
                        ring = ring.Append(i);
                        list.Add(i);
                        break;
                }
                Assert.Equal(list, Enumerable.Range(0, ring.Count).Select(index => ring[index]));
            }
        }
    }

    [Fact]
    public void AppendOrDrop_LeavesTheRingBeforeItReadable()
    {
        var ring = default(Ring<int>);
        for (var i = 0; i < 100; i++)
        {
            var before = Enumerable.Range(0, ring.Count).Select(index => ring[index]).ToArray();
            _ = ring.Append(-1);
            _ = ring.DropFirst(ring.Count / 2);
            _ = ring.DropLast(ring.Count / 2);
            Assert.Equal(before, Enumerable.Range(0, ring.Count).Select(index => ring[index]));
            ring = (i % 3 == 2 ? ring.DropFirst(1) : ring).Append(i);
        }
    }
}
