using Weir.EndToEnd.Tests.Fleets;

namespace Weir.EndToEnd.Tests.Faults;

/// <summary>Three node processes that go through all faults, one after the other.</summary>
public sealed class FaultFleet : IAsyncLifetime
{
    private Fleet? _fleet;

    internal Fleet Fleet => _fleet!;

    public async ValueTask InitializeAsync() => _fleet = await Fleet.StartAsync(Ordeal.Rules);

    public ValueTask DisposeAsync() => _fleet?.DisposeAsync() ?? ValueTask.CompletedTask;
}
