using Weir.LoadGen.Proof;

namespace Weir.LoadGen.Tests.Proof;

/// <summary>The whole proof against the true engine: silent when it keeps its promise, and not when it does not.</summary>
public sealed class JudgeTests
{
    private static readonly DateTimeOffset StartedAt = DateTimeOffset.FromUnixTimeMilliseconds(1_800_000_000_123).AddTicks(4_560);

    public static TheoryData<AlgorithmKind> Algorithms => [AlgorithmKind.SlidingWindow, AlgorithmKind.TokenBucket, AlgorithmKind.FixedWindow, AlgorithmKind.SlidingCounter];

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void Decide_AboutALimiterThatKeepsItsPromise_FindsNothing(AlgorithmKind algorithm)
    {
        var random = new Random((int)algorithm + 1);
        long admitted = 0, refused = 0;
        for (var run = 0; run < 150; run++)
        {
            var options = RandomRule(random, algorithm);
            var cost = random.Next(4) == 0 ? random.Next(1, 4) : 1;
            var simulation = new Simulation(run, options)
            {
                ClockSpeed = 1 + ((random.NextDouble() - 0.5) * 0.0019),
                DelayMs = random.Next(3) switch { 0 => 0.2, 1 => 5, _ => 80 },
                Lost = random.Next(2) * 0.03,
                Cost = cost,
            };
            var window = options.Window.TotalSeconds;
            var seconds = window * (1 + (random.NextDouble() * 12));
            var log = simulation.Run((int)Math.Max(20, options.Permits / cost * seconds / window * (0.3 + (random.NextDouble() * 4))), seconds);

            var result = Judge(log, PromiseOf(options, cost), fresh: random.Next(2) == 0, clockOffset: random.Next(2) == 0 ? null : TimeSpan.FromSeconds(seconds * 0.001));

            Assert.True(result.IsKept, $"run {run}, {options}, cost {cost}: {string.Join("; ", result.Findings)}");
            admitted += result.Admitted;
            refused += result.Refused;
        }
        // The limit was reached, and not only refused by.
        Assert.True(admitted > 1_000 && refused > 1_000, $"{admitted} admitted, {refused} refused");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(100)]
    public void Decide_AboutASlidingWindowThatAdmitsOneTooMany_FindsIt(int limit)
    {
        // Asked for three times as much as is allowed, answered within a millisecond.
        var log = new Simulation(1, new RuleOptions { Permits = limit + 1, Window = TimeSpan.FromSeconds(2) }) { DelayMs = 0.01 }.Run(limit * 15, 10);

        var result = Judge(log, Traces.Promise($"{limit}/2s"));

        Assert.True(result.Counts[Fault.OverAdmitted] >= 2, $"{result.Counts[Fault.OverAdmitted]}");
        Assert.Equal(limit + 1, result.Fullest);
        Assert.All(result.Findings.Where(static f => f.Fault == Fault.OverAdmitted), static f => Assert.Equal(1, f.Excess));
    }

    [Fact]
    public void Decide_AboutAnExcessBeyondTheBlindSpot_AlwaysFindsIt()
    {
        // Spread evenly, so that what is too much is not in a clump that nobody could overlook.
        var random = new Random(5);
        var (beyond, hidden) = (0, 0);
        for (var run = 0; run < 200; run++)
        {
            var simulation = new Simulation(run, new RuleOptions { Permits = 1_000, Window = TimeSpan.FromSeconds(2) }) { DelayMs = random.NextDouble() * 150 };
            var log = simulation.Run(random.Next(100, 220), 8);

            var result = Judge(log, Traces.Promise("50/2s"));

            var excess = Fullest(simulation.AdmittedAt, 2) - 50;
            var found = result.Counts.ContainsKey(Fault.OverAdmitted);
            Assert.True(found || excess <= result.BlindSpot, $"run {run}: {excess} too many, {result.BlindSpot} could hide");
            Assert.False(found && excess <= 0, $"run {run}: a false alarm");
            beyond += excess > result.BlindSpot ? 1 : 0;
            hidden += excess > 0 && !found ? 1 : 0;
        }
        // Neither is the bound idle talk, nor is everything beyond it.
        Assert.True(beyond > 10 && hidden > 3, $"{beyond} beyond the blind spot, {hidden} hidden");
    }

    [Fact]
    public void Decide_AboutATokenBucketThatRefillsTooFast_FindsIt()
    {
        var log = new Simulation(1, new RuleOptions { Algorithm = AlgorithmKind.TokenBucket, Permits = 102, Burst = 20, Window = TimeSpan.FromSeconds(1) }) { DelayMs = 0.1 }.Run(5_000, 20);

        Assert.Contains(Fault.OverAdmitted, Judge(log, Traces.Promise("100/1s token-bucket burst 20")).Counts);
    }

    [Fact]
    public void Decide_AboutAFixedWindowThatAdmitsOneTooMany_FindsItOverSeveralWindows()
    {
        var log = new Simulation(1, new RuleOptions { Algorithm = AlgorithmKind.FixedWindow, Permits = 21, Window = TimeSpan.FromSeconds(1) }) { DelayMs = 0.05 }.Run(2_000, 10);

        Assert.Contains(Fault.OverAdmitted, Judge(log, Traces.Promise("20/1s fixed-window")).Counts);
    }

    [Fact]
    public void Decide_AboutNodesThatDoNotKnowOfEachOther_FindsItAndTheirHeaders()
    {
        var log = new Simulation(1, new RuleOptions { Permits = 30, Window = TimeSpan.FromSeconds(2) }) { Nodes = 3 }.Run(2_000, 6);

        var result = Judge(log, Traces.Promise("30/2s"));

        Assert.Contains(Fault.OverAdmitted, result.Counts);
        Assert.Contains(Fault.WrongRemaining, result.Counts);
        Assert.Equal(3, result.Findings[0].ByTarget.Count);
    }

    [Fact]
    public void Decide_AboutALimiterThatRefusesFromNine_FindsIt()
    {
        // One permit of ten is never given out.
        var log = new Simulation(1, new RuleOptions { Permits = 9, Window = TimeSpan.FromSeconds(1) }) { DelayMs = 0.5 }.Run(300, 10);

        var result = Judge(log, Traces.Promise("10/1s"));

        Assert.Contains(Fault.WronglyRefused, result.Counts);
        Assert.DoesNotContain(Fault.OverAdmitted, result.Counts);
    }

    [Fact]
    public void Decide_AboutARetryAfterThatIsTooShort_FindsIt()
    {
        // One request every 0.7 s, one permit each 5 s, and always told to come in one.
        var log = new Simulation(1, new RuleOptions { Permits = 1, Window = TimeSpan.FromSeconds(5) })
        {
            DelayMs = 0.5,
            Tamper = static o => o.Verdict == Verdict.Refused ? o with { Told = o.Told with { RetryAfterSeconds = 1 } } : o,
        }.Run(60, 42);

        var result = Judge(log, Traces.Promise("1/5s"));

        Assert.Equal([Fault.WrongRetryAfter], result.Counts.Keys);
    }

    [Fact]
    public void Decide_WhenNothingWasRefused_SaysHowLittleItProves()
    {
        var log = new Simulation(1, new RuleOptions { Permits = 1_000 }).Run(10, 5);

        var result = Judge(log, Traces.Promise("1000/1m"), fresh: false);

        Assert.True(result.IsKept);
        Assert.Contains(result.Notes, static n => n.Contains("proves little"));
        Assert.Contains(result.Notes, static n => n.Contains("used before"));
    }

    [Fact]
    public void Decide_WhenTheMemoryWasFull_SaysSo()
    {
        var log = new ProofLog(1, most: 2);
        for (var i = 0; i < 5; i++)
            log.Record(0, Traces.Admitted(i, i + 1));

        var result = Judge(log, Traces.Promise("10/1s"));

        Assert.Equal((2, 3), (result.Admitted, log.Forgotten));
        Assert.Contains(result.Notes, static n => n.Contains("the last 3 were not judged"));
    }

    [Fact]
    public void Decide_WithAPromiseForOneKey_JudgesItByThat()
    {
        var log = new ProofLog(2);
        for (var i = 0; i < 5; i++)
        {
            log.Record(0, Traces.Admitted(i, i + 0.5));
            log.Record(1, Traces.Admitted(i, i + 0.5));
        }
        var expectation = new Expectation(Traces.Promise("5/1s"), new Dictionary<string, Promise> { ["key-1"] = Traces.Promise("3/1s") }, null);

        var result = new Judge(expectation, StartedAt).Decide(log, static i => $"key-{i}", areFresh: true);

        Assert.Equal("key-1", Assert.Single(result.Findings).Key);
    }

    private static ProofResult Judge(ProofLog log, Promise promise, bool fresh = true, TimeSpan? clockOffset = null) =>
        new Judge(new Expectation(promise, new Dictionary<string, Promise>(), (long?)clockOffset?.TotalNanoseconds), StartedAt).Decide(log, static _ => "alice", fresh);

    private static int Fullest(List<double> sorted, double window) => sorted.Index().Max(first => sorted.Skip(first.Index).TakeWhile(at => at < first.Item + window).Count());

    private static RuleOptions RandomRule(Random random, AlgorithmKind algorithm) => new()
    {
        Algorithm = algorithm,
        Permits = random.Next(3) switch { 0 => random.Next(1, 4), 1 => random.Next(4, 20), _ => random.Next(20, 150) },
        Window = TimeSpan.FromMilliseconds(random.Next(3) switch { 0 => random.Next(100, 400), 1 => 1_000, _ => random.Next(1_000, 7_000) }),
        Burst = algorithm == AlgorithmKind.TokenBucket ? random.Next(1, 60) : null,
    };

    private static Promise PromiseOf(RuleOptions options, int cost) =>
        new(Enum.Parse<Algorithm>(options.Algorithm.ToString()), options.Permits, (long)options.Window.TotalNanoseconds, options.Burst ?? options.Permits, cost);
}
