using Weir.EndToEnd.Tests.Fleets;
using Weir.TestKit.Redis;

namespace Weir.EndToEnd.Tests.Faults;

/// <summary>Three node processes that reach their server over a network that a test makes bad.</summary>
public sealed class ProxiedFleet : FleetFixture
{
    private RedisServer? _server;
    private FaultyProxy? _proxy;

    internal FaultyProxy Proxy => _proxy!;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (_proxy is not null)
            await _proxy.DisposeAsync();
        if (_server is not null)
            await _server.DisposeAsync();
    }

    private protected override async Task<Fleet> StartAsync()
    {
        _server = await RedisServer.StartAsync();
        _proxy = new FaultyProxy(_server.Port);
        return await Fleet.StartOnAsync($"redis://127.0.0.1:{_proxy.Port}", Ordeal.Rules);
    }

    private protected override Task PrepareAsync(Fleet fleet) => Ordeal.WarmAsync(fleet);
}
