using Weir.EndToEnd.Tests.Fleets;

namespace Weir.EndToEnd.Tests.Faults;

/// <summary>Three node processes that go through all faults, one after the other.</summary>
public sealed class FaultFleet : IAsyncLifetime
{
    private Fleet? _fleet;

    internal Fleet Fleet => _fleet!;

    /// <summary>Starts the nodes and lets them work: what just started compiles while it decides, and faults are not judged by that.</summary>
    public async ValueTask InitializeAsync()
    {
        _fleet = await Fleet.StartAsync(Ordeal.Rules);
        var tally = Tally.OfKey("wide-before");
        await using var load = Load.Start(Ordeal.CallersPerNode * 3, (caller, _) => (_fleet[caller % 3], tally), Ordeal.Pause);
        await load.MoreAsync(15_000);
    }

    public ValueTask DisposeAsync() => _fleet?.DisposeAsync() ?? ValueTask.CompletedTask;
}
