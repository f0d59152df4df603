using Weir.EndToEnd.Tests.Fleets;

namespace Weir.EndToEnd.Tests.Exactness;

/// <summary>One key, three node processes, sixty-four connections to each: what all of them together get is exactly the limit.</summary>
public sealed class OneKeyTests
{
    private const int Limit = 1_000;
    private const int Connections = 64;
    private const int Rounds = 4;
    private const int Waves = 3;

    // In a wave every connection carries as many requests. The first wave fits the limit, so that every node admits; the second is what they contend in.
    private const int PerConnectionAndWave = 4;

    [Theory]
    [InlineData("sliding-window")]
    [InlineData("token-bucket")]
    [InlineData("fixed-window")]
    [InlineData("sliding-counter")]
    [InlineData("concurrency")]
    public async Task Admitted_IsExactlyTheLimit(string algorithm)
    {
        await using var fleet = await Fleet.StartAsync(
            null, "--default-algorithm", algorithm, "--default-limit", $"{Limit}", "--default-window-ms", LongWindow.Milliseconds, "--decision-timeout-ms", "5000");
        for (var round = 0; round < Rounds; round++)
        {
            var tallies = fleet.Routed.Select(_ => Tally.OfKey($"round-{round}")).ToArray();
            // Callers that stay at their node, and callers that ask the nodes in turn.
            var callers = await Task.WhenAll(round % 2 == 0
                ? Enumerable.Range(0, 3 * Connections).Select(c => Caller.ConnectAsync(fleet, tallies, c % 3, 1))
                : Enumerable.Range(0, Connections).Select(c => Caller.ConnectAsync(fleet, tallies, c % 3, 3)));
            for (var wave = 0; wave < Waves; wave++)
                await Task.WhenAll(callers.Select(static c => Task.Run(c.AskAsync)));
            Array.ForEach(callers, static c => c.Dispose());

            Assert.Equal(Limit, tallies.Sum(static t => t.Allowed));
            Assert.Equal((Waves * 3 * Connections * PerConnectionAndWave) - Limit, tallies.Sum(static t => t.Refused));
            Assert.All(tallies, static t => Assert.InRange(t.Allowed, Connections * PerConnectionAndWave, Limit));
            Assert.Equal(0, await fleet[round % 3].RemainingAsync($"round-{round}"));
        }
    }

    /// <summary>A caller with a connection to one node or to each.</summary>
    private sealed class Caller(Connection[] connections, Tally[] tallies, int first) : IDisposable
    {
        public static async Task<Caller> ConnectAsync(Fleet fleet, Tally[] tallies, int first, int nodes) =>
            new(await Task.WhenAll(Enumerable.Range(first, nodes).Select(n => Connection.OpenAsync(fleet[n % 3].Port))), tallies, first);

        public async Task AskAsync()
        {
            for (var n = 0; n < PerConnectionAndWave * connections.Length; n++)
            {
                var at = n % connections.Length;
                var tally = tallies[(first + at) % 3];
                tally.Add(await connections[at].AskAsync(tally.Request));
            }
        }

        public void Dispose() => Array.ForEach(connections, static c => c.Dispose());
    }
}
