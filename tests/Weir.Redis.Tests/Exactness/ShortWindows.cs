using Weir.Redis.Tests.Fleets;

namespace Weir.Redis.Tests.Exactness;

/// <summary>
/// One counter each of the algorithms whose stamps are instants, with short windows, under more load than their limits allow; and their promises by definition, checked over
/// all stamps of all nodes.
/// </summary>
internal sealed class ShortWindows
{
    public const int Limit = 60;
    private const int CallersPerNode = 24;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1);

    private readonly Fleet _fleet;
    private readonly Charge[] _charges;
    private readonly Load _load;

    private ShortWindows(Fleet fleet)
    {
        _fleet = fleet;
        AlgorithmKind[] algorithms = [AlgorithmKind.SlidingWindow, AlgorithmKind.TokenBucket, AlgorithmKind.FixedWindow];
        _charges = [.. algorithms.Select(static a => Counters.Charge(Counters.Rule(Limit, Window, a), "key"))];
        var nodes = fleet.Nodes;
        _load = Load.Start(CallersPerNode * nodes.Count, (caller, n) => (nodes[caller % nodes.Count], _charges[n % _charges.Length]), Pause);
    }

    /// <summary>Length of the windows.</summary>
    public static TimeSpan Window { get; } = TimeSpan.FromMilliseconds(150);

    public static ShortWindows Begin(Fleet fleet) => new(fleet);

    /// <summary>Lets several windows go by.</summary>
    public static Task PassAsync() => Task.Delay(8 * Window);

    /// <summary>Stops the load and judges.</summary>
    /// <param name="steps">How often the server's time went forward by more than has passed.</param>
    /// <param name="speed">How fast it went otherwise, at least.</param>
    /// <returns>The admitted permits' instants.</returns>
    public async Task<IReadOnlyList<long>> EndAsync(int steps = 0, double speed = 1)
    {
        var answers = await _load.StopAsync();
        var took = TimeProvider.System.GetElapsedTime(answers.Min(static a => a.Asked), answers.Max(static a => a.Answered));
        _fleet.HasNotDegraded();
        var admitted = _charges.Select(c => StampsOf(answers, c)).ToArray();
        AssertSlidingWindow(admitted[0]);
        AssertTokenBucket(admitted[1]);
        AssertFixedWindow(admitted[2]);
        foreach (var stamps in admitted)
        {
            // In the time of whoever waits no more either, but for one limit for each step; and not much less, or there was an outage.
            var due = took / Window * Limit;
            Assert.InRange(stamps.Length, 0.5 * speed * due, due + ((2 + steps) * Limit));
        }
        return admitted[1];
    }

    private static long[] StampsOf(List<Answer> answers, Charge charge)
    {
        var stamps = answers.Where(a => a.Charge.Id == charge.Id && a.Decision.IsAllowed).Select(static a => a.Decision.Stamp).ToArray();
        Array.Sort(stamps);
        return stamps;
    }

    private static void AssertSlidingWindow(long[] stamps)
    {
        for (var i = Limit; i < stamps.Length; i++)
            Assert.True(stamps[i] - stamps[i - Limit] >= Micros(Window), $"{Limit + 1} permits within {stamps[i] - stamps[i - Limit]} µs, from {stamps[i - Limit]} on");
    }

    // For every pair of instants, n permits within them need n - burst emissions to have passed.
    private static void AssertTokenBucket(long[] stamps)
    {
        for (var from = 0; from < stamps.Length; from++)
        {
            for (var to = from; to < stamps.Length; to++)
                Assert.True((to - from + 1 - Limit) * Micros(Window) <= Limit * (stamps[to] - stamps[from]), $"{to - from + 1} within {stamps[to] - stamps[from]} µs");
        }
    }

    // Its stamps are the windows.
    private static void AssertFixedWindow(long[] stamps)
    {
        var windows = stamps.CountBy(static s => s).ToList();
        Assert.All(windows, static w => Assert.Equal(0, w.Key % Micros(Window)));
        Assert.All(windows, static w => Assert.InRange(w.Value, 1, Limit));
    }

    private static long Micros(TimeSpan duration) => duration.Ticks / TimeSpan.TicksPerMicrosecond;
}
