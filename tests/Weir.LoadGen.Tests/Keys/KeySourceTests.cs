using Weir.LoadGen.Keys;

namespace Weir.LoadGen.Tests.Keys;

public sealed class KeySourceTests
{
    private const int Draws = 200_000;

    [Fact]
    public void Draw_Evenly_GivesEveryKeyItsShare()
    {
        var keys = KeySource.Numbered(20, "k", null, seed: 1, fresh: true);

        var counts = Counts(keys);

        // Five standard deviations of a binomial share of a twentieth.
        Assert.All(counts, static c => Assert.InRange(c, 10_000 - 500, 10_000 + 500));
    }

    [Fact]
    public void Draw_ByZipf_FollowsTheLaw()
    {
        var keys = KeySource.Numbered(50, "k", 1.2, seed: 7, fresh: true);
        var whole = Enumerable.Range(1, 50).Sum(static i => Math.Pow(i, -1.2));

        var counts = Counts(keys);

        for (var i = 0; i < 50; i++)
        {
            var expected = Draws * Math.Pow(i + 1, -1.2) / whole;
            Assert.InRange(counts[i], expected - (5 * Math.Sqrt(expected)), expected + (5 * Math.Sqrt(expected)));
        }
    }

    [Fact]
    public void Draw_DependsOnSeedAndSequenceAlone()
    {
        var first = KeySource.Numbered(1_000, "a", null, seed: 5, fresh: true);
        var second = KeySource.Numbered(1_000, "b", null, seed: 5, fresh: true);
        var other = KeySource.Numbered(1_000, "b", null, seed: 6, fresh: true);
        var sequences = Enumerable.Range(0, 100).ToList();

        Assert.Equal(sequences.Select(s => first.Draw(s)), sequences.Select(s => second.Draw(s)));
        Assert.NotEqual(sequences.Select(s => first.Draw(s)), sequences.Select(s => other.Draw(s)));
    }

    [Fact]
    public void Names_AreThePrefixAndANumber()
    {
        var keys = KeySource.Numbered(3, "user-", null, seed: 1, fresh: false);

        Assert.Equal(["user-1", "user-2", "user-3"], Enumerable.Range(0, keys.Count).Select(keys.Name));
    }

    private static int[] Counts(KeySource keys)
    {
        var counts = new int[keys.Count];
        for (var i = 0L; i < Draws; i++)
            counts[keys.Draw(i)]++;
        return counts;
    }
}
