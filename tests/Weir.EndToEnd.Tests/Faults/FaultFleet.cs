using Weir.EndToEnd.Tests.Fleets;

namespace Weir.EndToEnd.Tests.Faults;

/// <summary>Three node processes that go through all faults of a server, one after the other.</summary>
public sealed class FaultFleet : FleetFixture
{
    private protected override Task<Fleet> StartAsync() => Fleet.StartAsync(Ordeal.Rules);

    private protected override Task PrepareAsync(Fleet fleet) => Ordeal.WarmAsync(fleet);
}
