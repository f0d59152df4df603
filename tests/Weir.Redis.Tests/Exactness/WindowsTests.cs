using Weir.Redis.Tests.Fleets;
using Weir.Redis.Tests.Sharing;

namespace Weir.Redis.Tests.Exactness;

/// <summary>Short windows, many of them, under more load than the limit allows: what was admitted is held against the promise by its own definition.</summary>
[Collection(nameof(OneByOne))]
public sealed class WindowsTests
{
    private const int Callers = 96;
    private const int Limit = 60;
    private static readonly TimeSpan Window = TimeSpan.FromMilliseconds(150);

    [Fact]
    public async Task SlidingWindow_AdmitsTheLimitInNoWindowMore()
    {
        var stamps = await AdmittedAsync(Counters.Rule(Limit, Window));

        for (var i = Limit; i < stamps.Length; i++)
            Assert.True(stamps[i] - stamps[i - Limit] >= Micros(Window), $"{Limit + 1} permits within {stamps[i] - stamps[i - Limit]} µs, from {stamps[i - Limit]} on");
        AssertBusy(stamps);
    }

    [Fact]
    public async Task TokenBucket_AdmitsNoMoreThanBurstAndRate()
    {
        var stamps = await AdmittedAsync(Counters.Rule(Limit, Window, AlgorithmKind.TokenBucket));

        // For every pair of instants, n permits within them need n - burst emissions to have passed: a bucket replayed over the stamps never overflows.
        for (var from = 0; from < stamps.Length; from++)
        {
            for (var to = from; to < stamps.Length; to++)
                Assert.True((to - from + 1 - Limit) * Micros(Window) <= Limit * (stamps[to] - stamps[from]), $"{to - from + 1} within {stamps[to] - stamps[from]} µs");
        }
        AssertBusy(stamps);
    }

    [Fact]
    public async Task FixedWindow_AdmitsTheLimitInNoWindowMore()
    {
        // Its stamps are the windows.
        var stamps = await AdmittedAsync(Counters.Rule(Limit, Window, AlgorithmKind.FixedWindow));

        var windows = stamps.CountBy(static s => s).OrderBy(static w => w.Key).ToList();
        Assert.All(windows, static w => Assert.Equal(0, w.Key % Micros(Window)));
        Assert.All(windows, static w => Assert.InRange(w.Value, 1, Limit));
        // All but the first and the last were filled.
        Assert.All(windows.Skip(1).SkipLast(1), static w => Assert.Equal(Limit, w.Value));
    }

    private static async Task<long[]> AdmittedAsync(Rule rule)
    {
        await using var server = await Servers.StartAsync();
        await using var fleet = await Fleet.StartAsync(server, RedisNode.Patient);
        var charge = Counters.Charge(rule, "key");
        var load = Load.Start(Callers, (caller, n) => (fleet[(caller + n) % 3], charge), TimeSpan.FromMilliseconds(1));
        await Task.Delay(10 * Window);
        var answers = await load.StopAsync();
        Assert.DoesNotContain(answers, static a => a.IsDegraded);
        var stamps = answers.Where(static a => a.Decision.IsAllowed).Select(static a => a.Decision.Stamp).ToArray();
        Array.Sort(stamps);
        return stamps;
    }

    // Refusing everything would keep the promise too. Callers pause, and refusals are remembered by the millisecond, so a little less than the rate is due.
    private static void AssertBusy(long[] stamps)
    {
        var due = (stamps[^1] - stamps[0]) / (double)Micros(Window) * Limit;
        Assert.InRange(stamps.Length, 0.6 * due, due + Limit + 1);
    }

    private static long Micros(TimeSpan duration) => duration.Ticks / TimeSpan.TicksPerMicrosecond;
}
