using Weir.LoadGen.Proof;

namespace Weir.LoadGen.Tests.Proof;

public sealed class SeatingTests
{
    [Fact]
    public void Try_OnSmallCases_AgreesWithTryingEveryOrder()
    {
        var random = new Random(1);
        var (fits, fails) = (0, 0);
        for (var run = 0; run < 60_000; run++)
        {
            var (seats, stay) = (random.Next(1, 4), random.Next(1, 8));
            var jobs = Enumerable.Range(0, random.Next(1, 8)).Select(_ => random.Next(17) is var from ? new Bracket(from, from + Wait(random)) : default).OrderBy(static j => j.From).ToArray();

            var fit = Seating.Try(jobs, seats, stay, out _);

            Assert.NotEqual(Seating.Fit.Open, fit);
            var possible = IsPossible(jobs, seats, stay, [], new bool[jobs.Length]);
            Assert.True(possible == (fit == Seating.Fit.Yes), $"{seats} seats for {stay}: {string.Join(' ', jobs)}");
            _ = possible ? fits++ : fails++;
        }
        // Both answers were asked for often enough.
        Assert.True(Math.Min(fits, fails) > 10_000, $"{fits} fit, {fails} do not");
    }

    [Fact]
    public void Try_WhereTheMostUrgentMustNotGoFirst_FindsTheOrder()
    {
        // One seat for 10. The first could sit down at 0 and would block the one who must at 5.
        Bracket[] jobs = [new(0, 100), new(5, 5)];

        Assert.Equal(Seating.Fit.Yes, Seating.Try(jobs, 1, 10, out _));
    }

    [Fact]
    public void Try_WhereEachWindowFitsButNotTogether_SaysNot()
    {
        // At 0, at some instant from 5 to 12, and at 15, each 10 apart.
        Bracket[] jobs = [new(0, 0), new(5, 12), new(15, 15)];

        Assert.Equal(Seating.Fit.Not, Seating.Try(jobs, 1, 10, out var conflict));
        Assert.Equal((new Bracket(0, 15), 3), conflict);
    }

    [Fact]
    public void Try_OnAHundredThousandUnderWayTogether_IsQuick()
    {
        var random = new Random(2);
        var jobs = Enumerable.Range(0, 100_000).Select(i => (i * 1_000L) + random.Next(1_000) is var at ? new Bracket(at - random.Next(50_000), at + random.Next(50_000)) : default)
            .OrderBy(static j => j.From).ToArray();

        // A hundred each 100,000: exactly what the instants in the middle keep.
        Assert.Equal(Seating.Fit.Yes, Seating.Try(jobs, 101, 100_000, out _));
        Assert.Equal(Seating.Fit.Not, Seating.Try(jobs, 90, 100_000, out _));
    }

    private static int Wait(Random random) => random.Next(7) switch { 0 or 1 => 0, 2 => 1, 3 => 2, 4 => 3, 5 => 5, _ => 8 };

    private static bool IsPossible(Bracket[] jobs, int seats, long stay, List<long> starts, bool[] seated)
    {
        if (starts.Count == jobs.Length)
            return true;
        for (var i = 0; i < jobs.Length; i++)
        {
            if (seated[i])
                continue;
            var start = jobs[i].From;
            if (starts.Count > 0)
                start = Math.Max(start, starts[^1]);
            if (starts.Count >= seats)
                start = Math.Max(start, starts[^seats] + stay);
            if (start > jobs[i].To)
                continue;
            seated[i] = true;
            starts.Add(start);
            var possible = IsPossible(jobs, seats, stay, starts, seated);
            seated[i] = false;
            starts.RemoveAt(starts.Count - 1);
            if (possible)
                return true;
        }
        return false;
    }
}
