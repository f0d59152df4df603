using AgentApi.Tests.Servers;
using Weir.TestKit.Redis;

namespace AgentApi.Tests;

/// <summary>What clients get while nobody can decide.</summary>
public sealed class LimiterFailureTests(Stores stores)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task NodesGone_WithPolicyClosed_AllIsRefusedWith503_UntilTheyAreBack()
    {
        Stores.SkipWithoutServers();
        await using var cluster = await Cluster.StartAsync(2);
        await using var agent = await StartAsync(cluster, "closed");

        await cluster.KillAsync();

        await LimitTests.LimiterIsAsync(agent, "degraded: ");
        var refused = await agent.Client.GetHeardAsync("/");
        Assert.Equal((503, "application/problem+json", "1"), (refused.Status, refused.Headers["Content-Type"], refused.Headers["Retry-After"]));
        Assert.Contains("rate limiter cannot decide", refused.Detail);
        // The instance is as well as any other: a balancer that took it out would have none left.
        Assert.Equal(200, (await agent.HealthAsync()).Status);

        await cluster.StartAgainAsync();

        await LimitTests.LimiterIsAsync(agent, "ok");
        await Eventually.IsTrueAsync(async () => (await agent.Client.GetHeardAsync("/")).Status == 200, "requests are decided again", Patience);
    }

    [Fact]
    public async Task NodesGone_WithPolicyOpen_AllIsAllowed_AndLimitedAgainWhenTheyAreBack()
    {
        Stores.SkipWithoutServers();
        await using var cluster = await Cluster.StartAsync(2);
        await using var agent = await StartAsync(cluster, "open", ("LIMIT_ADDRESS_PER_MINUTE", "5"));
        using var alice = agent.As(Agent.AliceKey);

        await cluster.KillAsync();

        await LimitTests.LimiterIsAsync(agent, "degraded: ");
        for (var i = 0; i < 20; i++)
            Assert.Equal(200, (await agent.Client.GetHeardAsync("/load-test?work=1")).Status);
        // Also where tokens are reserved.
        Assert.Equal(201, (await alice.SayAsync(await alice.BeginAsync(), "hello")).Status);
        Assert.Equal(200, (await agent.HealthAsync()).Status);

        await cluster.StartAgainAsync();

        await LimitTests.LimiterIsAsync(agent, "ok");
        await Eventually.IsTrueAsync(async () => (await agent.Client.GetHeardAsync("/load-test?work=1")).Status == 429, "the limit holds again", Patience);
    }

    [Fact]
    public async Task OneNodeGone_IsNotNoticedByClients()
    {
        Stores.SkipWithoutServers();
        await using var cluster = await Cluster.StartAsync(2);
        await using var agent = await StartAsync(cluster, "closed");

        await cluster.KillOneAsync();

        await Eventually.IsTrueAsync(
            async () =>
            {
                for (var i = 0; i < 30; i++)
                {
                    if ((await agent.Client.GetHeardAsync("/load-test?work=1")).Status != 200)
                        return false;
                }
                return true;
            },
            "the other node decides everything", Patience);
    }

    private async Task<Agent> StartAsync(Cluster cluster, string policy, params (string Name, string Value)[] more)
    {
        var variables = Agent.Variables(stores.Postgres, await stores.Postgres.CreateDatabaseAsync(), stores.Redis);
        cluster.AddTo(variables);
        variables["WEIR_FAILURE_POLICY"] = policy;
        var agent = await Agent.StartAsync(variables, more);
        try
        {
            await LimitTests.LimiterIsAsync(agent, "ok");
            return agent;
        }
        catch
        {
            await agent.DisposeAsync();
            throw;
        }
    }
}
