using System.Numerics;
using System.Text;

namespace Weir.Core.Tests.Decisions;

public class CounterHasherTests
{
    private static readonly CounterHasher Hasher = new([.. Enumerable.Range(0, 32).Select(i => (byte)(i * 37))]);

    [Fact]
    public void EveryInputBit_ChangesHalfOfTheOutputBits()
    {
        var random = new Random(1);
        foreach (var length in new[] { 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 100 })
        {
            var flips = new int[128];
            var trials = 0;
            for (var round = 0; round < 60; round++)
            {
                var bytes = new byte[length];
                random.NextBytes(bytes);
                var before = Hasher.Combine(default, bytes);
                for (var bit = 0; bit < length * 8; bit += 1 + (length / 16))
                {
                    bytes[bit / 8] ^= (byte)(1 << (bit % 8));
                    var after = Hasher.Combine(default, bytes);
                    bytes[bit / 8] ^= (byte)(1 << (bit % 8));
                    Count(before.High ^ after.High, flips, 0);
                    Count(before.Low ^ after.Low, flips, 64);
                    trials++;
                }
            }
            // Six standard deviations to either side of one half.
            var slack = 3 * Math.Sqrt(trials);
            Assert.All(flips, flipped => Assert.InRange(flipped, (trials / 2.0) - slack, (trials / 2.0) + slack));
        }
    }

    [Fact]
    public void StructuredKeys_DoNotCollide()
    {
        const int Keys = 3_000_000;
        var low = new HashSet<ulong>(Keys);
        var high = new HashSet<ulong>(Keys);
        Span<byte> key = stackalloc byte[64];
        for (var i = 0; i < Keys; i++)
        {
            var id = Hasher.Combine(default, Structured(i, key));
            // At three million the chance that random 64-bit halves meet is below one in a million.
            Assert.True(low.Add(id.Low), $"Low half of key {i} is not its own.");
            Assert.True(high.Add(id.High), $"High half of key {i} is not its own.");
        }
    }

    [Fact]
    public void Segments_AreFilledEvenly()
    {
        var counts = new int[256];
        Span<byte> key = stackalloc byte[64];
        for (var i = 0; i < 256_000; i++)
            counts[Hasher.Combine(default, Structured(i, key)).High >> 56]++;
        Assert.All(counts, count => Assert.InRange(count, 800, 1_200));
    }

    [Fact]
    public void ZerosOfEveryLength_Differ()
    {
        var ids = Enumerable.Range(0, 600).Select(length => Hasher.Combine(default, new byte[length])).ToHashSet();
        Assert.Equal(600, ids.Count);
    }

    [Fact]
    public void LongerInput_IsNotTheShorterOnesContinuation()
    {
        var whole = Encoding.UTF8.GetBytes("0123456789abcdef0123456789abcdef");
        for (var cut = 0; cut <= whole.Length; cut++)
        {
            var first = Hasher.Combine(default, whole.AsSpan(0, cut));
            Assert.NotEqual(Hasher.Combine(default, whole), Hasher.Combine(first, whole.AsSpan(cut)));
        }
    }

    [Fact]
    public void RepeatedBytesInTheTail_AreToldFromTheirLength()
    {
        // Tails are read with overlapping words: aa, aaa and aaaa fill them alike.
        var ids = Enumerable.Range(1, 40).Select(length => Hasher.Combine(default, Encoding.UTF8.GetBytes(new string('a', length)))).ToHashSet();
        Assert.Equal(40, ids.Count);
    }

    [Fact]
    public void EveryByteOfTheSeed_MattersForEveryOutput()
    {
        var seed = new byte[32];
        var ids = new HashSet<CounterId> { new CounterHasher(seed).Combine(default, "key"u8) };
        for (var i = 0; i < 32; i++)
        {
            seed[i] ^= 0x40;
            Assert.True(ids.Add(new CounterHasher(seed).Combine(default, "key"u8)), $"Byte {i} of the seed does not matter.");
            seed[i] ^= 0x40;
        }
        Assert.NotEqual(new CounterHasher().Combine(default, "key"u8), new CounterHasher().Combine(default, "key"u8));
    }

    [Fact]
    public void Seed_OfTheWrongLength_IsRefused() => Assert.Contains("31", Assert.Throws<ArgumentException>(() => new CounterHasher(new byte[31])).Message);

    [Fact]
    public void Start_TellsDomainFromPath()
    {
        var ids = new[] { ("a", "bc"), ("ab", "c"), ("abc", "x"), ("1:a", "bc"), ("a", "1:bc") }
            .Select(p => Hasher.Start(Rule.Create(new RuleOptions { Domain = p.Item1, Path = p.Item2 }))).ToHashSet();
        Assert.Equal(5, ids.Count);
    }

    [Fact]
    public void Start_SurvivesAChangeOfTheLimit()
    {
        var rule = Rule.Create(new RuleOptions { Permits = 5 });
        Assert.Equal(Hasher.Start(rule), Hasher.Start(Rule.Create(rule.ToOptions() with { Permits = 6 })));
    }

    [Fact]
    public void CounterId_RoundTripsAndOrders()
    {
        var id = new CounterId(0x0123456789abcdef, 0xfedcba9876543210);
        Assert.Equal("0123456789abcdeffedcba9876543210", id.ToString());
        Assert.True(CounterId.TryParse(id.ToString(), out var read) && read == id);
        Assert.False(CounterId.TryParse("0123", out _));
        Assert.False(CounterId.TryParse(new string('g', 32), out _));
        Assert.True(new CounterId(1, ulong.MaxValue) < new CounterId(2, 0) && new CounterId(1, 1) >= new CounterId(1, 1));
    }

    // Counters as they come: numbers in text, in binary, addresses, with the difference at the front, at the end or in one bit.
    private static ReadOnlySpan<byte> Structured(int i, Span<byte> key)
    {
        switch (i % 5)
        {
            case 0:
                return key[..Encoding.UTF8.GetBytes($"user:{i:D9}", key)];
            case 1:
                return key[..Encoding.UTF8.GetBytes($"{i}/api/v1/items/of/some/length", key)];
            case 2:
                return key[..Encoding.UTF8.GetBytes($"10.{(i >> 16) & 255}.{(i >> 8) & 255}.{i & 255}", key)];
            case 3:
                key[..24].Clear();
                BitConverter.TryWriteBytes(key, i);
                return key[..24];
            default:
                key[..40].Clear();
                BitConverter.TryWriteBytes(key[36..], i);
                return key[..40];
        }
    }

    private static void Count(ulong bits, int[] flips, int from)
    {
        for (; bits != 0; bits &= bits - 1)
            flips[from + BitOperations.TrailingZeroCount(bits)]++;
    }
}
