using Weir.Server.Rules;
using Weir.Server.Tests.Http;

namespace Weir.Server.Tests.Hosting;

/// <summary>Rules that change while requests are decided.</summary>
public sealed class ReloadUnderLoadTests
{
    private const int Reloads = 20;

    [Fact]
    public async Task Reloads_LoseNoRequestAndNoCount()
    {
        await using var node = await RunningNode.WithRulesAsync(Text(0));
        using var stop = new CancellationTokenSource();
        var clients = Enumerable.Range(0, 4).Select(c => HammerAsync(node, c, stop.Token)).ToList();

        var version = 1;
        for (var reload = 1; reload <= Reloads; reload++)
        {
            var isGood = reload % 2 == 0;
            await File.WriteAllTextAsync(node.RulesPath, isGood ? Text(reload) : $"# {reload}\n" + Text(reload).Replace("window: 1h", "window: soon", StringComparison.Ordinal));
            node.Time.Advance(RulesWatcher.Period * 3);
            version += isGood ? 1 : 0;
            var rules = await node.GetAsync("/api/rules");
            Assert.Equal((version, isGood), (rules.Number("version"), rules.IsNull("last_error")));
            Assert.Equal(11 + (reload / 2 * 2), (await node.GetAsync("/rate-limit/moving?cost=0")).Number("limit"));
        }
        await stop.CancelAsync();
        var tallies = await Task.WhenAll(clients);

        Assert.Empty(tallies.SelectMany(t => t.Others));
        Assert.Equal(40, tallies.Sum(t => t.Steady));
        // The limit only ever rose, so its last value is the most that was admitted.
        Assert.Equal(11 + Reloads, tallies.Sum(t => t.Moving));
        Assert.All(tallies, t => Assert.True(t.Asked > Reloads, $"{t.Asked} requests"));
    }

    private static string Text(int reload) => $"""
        domain: default
        descriptors:
          {(reload % 4 == 0 ? "- { key: filler, rate_limit: { name: filler, limit: 1, window: 1h } }" : "# no filler")}
          - key: key
            value: steady
            rate_limit: {"{"} name: steady, limit: 40, window: 1h {"}"}
          - key: key
            value: moving
            rate_limit: {"{"} name: moving, limit: {11 + reload}, window: 1h {"}"}
        """;

    private sealed record Tally(int Asked, int Steady, int Moving, IReadOnlyList<string> Others);

    private static async Task<Tally> HammerAsync(RunningNode node, int client, CancellationToken stop)
    {
        using var connection = await node.ConnectAsync();
        var (asked, steady, moving) = (0, 0, 0);
        var others = new List<string>();
        // At least one request comes after the last reload, so that every limit is used up.
        for (var last = false; !last;)
        {
            last = stop.IsCancellationRequested;
            for (var i = 0; i < (last ? 40 : 2); i++)
            {
                var isSteady = (i + client) % 2 == 0;
                var reply = await connection.AskAsync(isSteady ? "/rate-limit/steady" : "/rate-limit/moving");
                asked++;
                if (reply.Status == 200)
                    _ = isSteady ? steady++ : moving++;
                else if (reply.Status != 429)
                    others.Add(reply.ToString());
            }
        }
        return new Tally(asked, steady, moving, others);
    }
}
