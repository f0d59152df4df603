using Weir.EndToEnd.Tests.Fleets;

namespace Weir.EndToEnd.Tests.Faults;

/// <summary>Three node processes that go through all faults of a server, one after the other.</summary>
public sealed class FaultFleet : IAsyncLifetime
{
    private Fleet? _fleet;

    internal Fleet Fleet => _fleet!;

    /// <summary>Starts the nodes and lets them work.</summary>
    public async ValueTask InitializeAsync()
    {
        _fleet = await Fleet.StartAsync(Ordeal.Rules);
        await Ordeal.WarmAsync(_fleet);
    }

    public ValueTask DisposeAsync() => _fleet?.DisposeAsync() ?? ValueTask.CompletedTask;
}
