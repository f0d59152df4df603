namespace Weir.Core.Tests.Rules;

/// <summary>Every bound from just inside and just outside, and messages that name the rule, the field, the value and the cure.</summary>
public class RuleValidatorTests
{
    private const string NotFine = "does not divide a window";

    private static readonly RuleOptions Good = new() { Name = "login" };

    private static readonly TimeSpan Micro = TimeSpan.FromMicroseconds(1);

    public static TheoryData<AlgorithmKind, long> Limits => new()
    {
        { AlgorithmKind.SlidingWindow, 1_000_000 },
        { AlgorithmKind.TokenBucket, 1_000_000_000 },
        { AlgorithmKind.FixedWindow, 4_294_967_295 },
        { AlgorithmKind.SlidingCounter, 16_000_000 },
        { AlgorithmKind.Concurrency, 10_000 },
    };

    public static TheoryData<AlgorithmKind, long> ShortestWindows => new()
    {
        { AlgorithmKind.SlidingWindow, 1_000 },
        { AlgorithmKind.TokenBucket, 1_000 },
        { AlgorithmKind.FixedWindow, 1_000 },
        { AlgorithmKind.SlidingCounter, 100_000 },
        { AlgorithmKind.Concurrency, 1_000 },
    };

    [Theory]
    [MemberData(nameof(Limits))]
    public void Limit(AlgorithmKind algorithm, long most)
    {
        var options = Good with { Algorithm = algorithm };
        AssertGood(options with { Permits = 0 });
        AssertGood(options with { Permits = most });
        AssertBad(options with { Permits = -1 }, "'login'", "limit -1", $"0 to {most:N0}", algorithm.ToName());
        AssertBad(options with { Permits = most + 1 }, "'login'", $"limit {most + 1}", $"0 to {most:N0}");
        AssertBad(options with { Permits = long.MaxValue }, $"limit {long.MaxValue}");
    }

    [Theory]
    [MemberData(nameof(ShortestWindows))]
    public void Window(AlgorithmKind algorithm, long leastMicros)
    {
        var options = Good with { Algorithm = algorithm };
        var least = TimeSpan.FromMicroseconds(leastMicros);
        AssertGood(options with { Window = least });
        AssertGood(options with { Window = TimeSpan.FromDays(366) });
        AssertBad(options with { Window = least - Micro }, "'login'", $"window {Durations.Format(leastMicros - 1)}", $"{Durations.Format(leastMicros)} to 366d");
        AssertBad(options with { Window = TimeSpan.FromDays(366) + Micro }, "window 366d1us", "to 366d");
        AssertBad(options with { Window = TimeSpan.Zero }, "window 0s");
        AssertBad(options with { Window = TimeSpan.FromSeconds(-1) }, "window -1000000us");
        AssertBad(options with { Window = TimeSpan.FromTicks(10_000_001) }, "whole number of microseconds");
        AssertBad(options with { Window = TimeSpan.MaxValue }, "window");
    }

    [Fact]
    public void Burst()
    {
        var bucket = Good with { Algorithm = AlgorithmKind.TokenBucket };
        AssertGood(bucket with { Burst = 1 });
        AssertGood(bucket with { Burst = 1_000_000_000, Permits = 1_000_000 });
        AssertGood(bucket with { Burst = 366 * 24 * 60 * 100, Permits = 100 });
        AssertBad(bucket with { Burst = (366 * 24 * 60 * 100) + 1, Permits = 100 }, "burst 52704001", "366d", "100 per 1m", "smaller burst");
        AssertGood(bucket with { Burst = null });
        AssertBad(bucket with { Burst = 0 }, "'login'", "burst 0", "1 to 1,000,000,000");
        AssertBad(bucket with { Burst = 1_000_000_001 }, "burst 1000000001", "1 to 1,000,000,000");
        AssertBad(bucket with { Burst = -5 }, "burst -5");
        AssertBad(Good with { Burst = 5 }, "burst 5", "token-bucket only", "Remove it");
    }

    // 2^58 is the depth that a bucket may have, in units of the time that a permit takes.
    [Fact]
    public void BucketDepth()
    {
        var bucket = Good with { Algorithm = AlgorithmKind.TokenBucket, Permits = (1L << 14) - 3, Window = TimeSpan.FromMicroseconds(1L << 44) };
        AssertGood(bucket with { Burst = 1L << 14 });
        AssertBad(bucket with { Burst = (1L << 14) + 1 }, NotFine, "rounder limit");
        AssertGood(bucket with { Permits = 0, Burst = 1_000_000_000, Window = TimeSpan.FromDays(366) });
        AssertBad(bucket with { Permits = 999_999_937, Burst = null, Window = TimeSpan.FromDays(30) }, NotFine, "999999937");
        AssertGood(bucket with { Permits = 1_000_000_000, Burst = null, Window = TimeSpan.FromDays(30) });
    }

    [Fact]
    public void Names()
    {
        AssertGood(Good with { Name = new string('a', 128), Domain = new string('b', 128) });
        AssertBad(Good with { Name = "" }, "name must be 1 to 128");
        AssertBad(Good with { Name = new string('a', 129) }, "name must be 1 to 128");
        AssertBad(Good with { Name = "tab\t" }, "printable ASCII");
        AssertBad(Good with { Name = "schlüssel" }, "printable ASCII");
        AssertBad(Good with { Domain = "" }, "'login'", "domain ''", "1 to 128");
        AssertBad(Good with { Domain = new string('b', 129) }, "domain 'bbb");
    }

    [Fact]
    public void Calendar()
    {
        var fixedWindow = Good with { Algorithm = AlgorithmKind.FixedWindow };
        foreach (var unit in Enum.GetValues<CalendarUnit>())
            AssertGood(fixedWindow with { Calendar = unit, TimeZone = "Europe/Berlin" });
        AssertGood(fixedWindow with { Calendar = CalendarUnit.Day, Window = TimeSpan.Zero });
        AssertBad(Good with { Calendar = CalendarUnit.Day }, "fixed-window only", "sliding-window");
        AssertBad(fixedWindow with { TimeZone = "Europe/Berlin" }, "time zone 'Europe/Berlin'", "needs a calendar unit");
        AssertBad(fixedWindow with { Calendar = CalendarUnit.Day, TimeZone = "Mars/Olympus" }, "time zone 'Mars/Olympus'", "such as Europe/Berlin");
    }

    [Fact]
    public void Unlimited_IgnoresLimitAndWindow() => AssertGood(Good with { Unlimited = true, Permits = -5, Window = TimeSpan.Zero });

    [Fact]
    public void EveryProblem_IsTold()
    {
        var options = new RuleOptions { Name = "a\n", Domain = "", Permits = -1, Window = TimeSpan.Zero, Burst = 0, TimeZone = "x" };
        var problems = Assert.Throws<RuleException>(() => Rule.Create(options)).Problems;
        Assert.Equal(7, problems.Count);
        var sink = new List<string> { "before" };
        Assert.Null(Rule.TryCreate(options, sink));
        Assert.Equal(["before", .. problems], sink);
    }

    [Fact]
    public void Options_MakeTheSameRuleAgain()
    {
        var options = Good with { Algorithm = AlgorithmKind.TokenBucket, Permits = 7, Burst = 9, Quota = true, Failure = FailurePolicy.Open, Replaces = ["x"] };
        Assert.Equal(options with { Path = "login" }, Rule.Create(options).ToOptions());
    }

    [Fact]
    public void EmissionInterval_IsInLowestTerms()
    {
        var rule = Rule.Create(Good with { Algorithm = AlgorithmKind.TokenBucket, Permits = 700, Window = TimeSpan.FromSeconds(1) });
        Assert.Equal((10_000, 7), (rule.EmissionNumerator, rule.EmissionDenominator));
    }

    private static void AssertGood(RuleOptions options) => Assert.Equal(options.Permits, Rule.Create(options).Permits);

    private static void AssertBad(RuleOptions options, params string[] parts)
    {
        var problem = Assert.Single(Assert.Throws<RuleException>(() => Rule.Create(options)).Problems);
        Assert.All(parts, part => Assert.Contains(part, problem));
    }
}
