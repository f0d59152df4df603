using Weir;
using Weir.AspNetCore;

namespace AgentApi.Limiting;

/// <summary>Asks whether somebody decides, by looking at a limit without taking anything from it.</summary>
internal sealed class LimiterProbe(IWeirClient client)
{
    private static readonly Limit Look = Limit.Create("health", 1, TimeSpan.FromMinutes(1), domain: "agent");

    /// <summary>
    /// Asks until an answer comes in time, three times at most: the first question opens connections and compiles code, and users need not wait for that. Whatever
    /// comes of it, the application starts; its limits have failure policies.
    /// </summary>
    public async Task WarmUpAsync(CancellationToken cancellation)
    {
        for (var tries = 0; tries < 3; tries++)
        {
            if (await ProbeAsync(cancellation) is null)
                return;
        }
    }

    /// <summary>Null when decisions are made, or what is wrong.</summary>
    public async Task<string?> ProbeAsync(CancellationToken cancellation)
    {
        try
        {
            var result = await client.CheckAsync(new LimitCharge(Look, "health", Cost: 0), cancellation);
            return result.Source == DecisionSource.Degraded ? "no node can be asked; requests are answered by the failure policy" : null;
        }
        catch (WeirException e)
        {
            // Nodes of a version that does not know how this one asks.
            return e.Message;
        }
    }
}
