using Weir.EndToEnd.Tests.Fleets;

namespace Weir.EndToEnd.Tests.Exactness;

/// <summary>
/// Node processes are added, killed and rolled under load, and the limit is the limit. Every request is accounted for: answered, or lost with a killed node, which may
/// have charged it.
/// </summary>
public sealed class ChangingFleetTests
{
    private const int Callers = 192;
    private const int Limit = 2_000;

    // Nodes that start need the machine, too.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private static readonly string[] Algorithms = ["sliding-window", "token-bucket", "fixed-window", "sliding-counter", "concurrency"];

    private static readonly string Rules = "domain: default\ndescriptors:\n" + string.Concat(Algorithms.Select(static a =>
        $$"""  - { key: key, value: "{{a}}-*", rate_limit: { name: {{a}}, algorithm: {{a}}, limit: {{Limit}}, window: {{LongWindow.Text}} } }""" + "\n"));

    private readonly List<Round> _rounds = [];
    private Round _round = new(0);
    private bool _hasAdmittedAfterAChange;

    [Fact]
    public async Task Admitted_IsExactlyTheLimit_WhileNodesAreAdded_Killed_AndRolled()
    {
        await using var fleet = await Fleet.StartAsync(Rules, "--decision-timeout-ms", "5000", "--drain-ms", "8000");
        var (first, second, third) = (fleet[0], fleet[1], fleet[2]);
        await using var load = Load.Start(Callers, (caller, n) =>
        {
            var nodes = fleet.Routed;
            return (nodes[(caller + n) % nodes.Length], Volatile.Read(ref _round).Tallies[n % Algorithms.Length]);
        }, Pause);

        FleetNode added = null!;
        await PlayAsync(load, async () => fleet.Route(added = await fleet.StartNodeAsync()));
        await PlayAsync(load, () => Kill(fleet, first));
        // The successor of a killed node has its name.
        await PlayAsync(load, async () => fleet.Route(await fleet.StartNodeAsync(first.Id)));
        await PlayAsync(load, () => RollAsync(fleet, second));
        await PlayAsync(load, async () =>
        {
            var rolling = RollAsync(fleet, added);
            await Kill(fleet, third);
            await rolling;
        });
        await load.StopAsync();

        Assert.True(_hasAdmittedAfterAChange, "all permits were gone before anything changed");
        foreach (var round in _rounds)
            await JudgeAsync(fleet, round, mayLose: round.Number is 2 or 5);
        Assert.All([second, added], n => Assert.Equal(0, load.LostAt(n)));
        // Each caller had at most one request under way.
        Assert.All([first, third], n => Assert.InRange(load.LostAt(n), 0, Callers));
        foreach (var rolled in new[] { second, added })
            Assert.Equal((0, ""), (await rolled.Process.ExitAsync(), rolled.Process.Errors));
        Assert.DoesNotContain(second.Id, (await fleet[0].NodesAsync()).Keys);
    }

    // New counters, a change when a tenth of their permits is gone, and load until all are gone.
    private async Task PlayAsync(Load load, Func<Task> change)
    {
        var round = new Round(_rounds.Count + 1);
        _rounds.Add(round);
        Volatile.Write(ref _round, round);
        await load.UntilAsync(() => round.Allowed >= Limit * Algorithms.Length / 10, "some are admitted");
        var before = round.Allowed;
        await change();
        _hasAdmittedAfterAChange |= round.Allowed > before;
        await load.UntilAsync(() => Array.TrueForAll(round.Tallies, static t => t.Refused > 0), "all permits are gone");
        await load.MoreAsync(Callers);
    }

    private static Task Kill(Fleet fleet, FleetNode node)
    {
        node.Process.End();
        fleet.Unroute(node);
        return Task.CompletedTask;
    }

    // As an orchestrator and a balancer do: a successor first, then SIGTERM, and requests until the node says that it is not ready.
    private static async Task RollAsync(Fleet fleet, FleetNode node)
    {
        fleet.Route(await fleet.StartNodeAsync());
        node.Process.Terminate();
        await TestKit.Redis.Eventually.IsTrueAsync(async () => await node.NotReadyAsync() == "stopping", $"{node} says that it stops", Fleet.Patience);
        fleet.Unroute(node);
    }

    private static async Task JudgeAsync(Fleet fleet, Round round, bool mayLose)
    {
        foreach (var tally in round.Tallies)
        {
            Assert.True(tally.Degraded == 0 && tally[Fate.Other] == 0, $"{tally}");
            Assert.True(mayLose || tally.Lost == 0, $"no node was killed, but {tally}");
            Assert.True(tally.Allowed <= Limit, $"more than {Limit}: {tally}");
            // Nothing was charged that nobody asked for, and nothing twice.
            Assert.True(tally.Allowed + tally.Lost >= Limit, $"some were charged that nobody has got: {tally}");
            Assert.Equal(0, await fleet[0].RemainingAsync(tally.Key));
        }
    }

    private sealed class Round(int number)
    {
        public int Number => number;

        public Tally[] Tallies { get; } = [.. Algorithms.Select(a => Tally.OfKey($"{a}-{number}"))];

        public int Allowed => Tallies.Sum(static t => t.Allowed);
    }
}
