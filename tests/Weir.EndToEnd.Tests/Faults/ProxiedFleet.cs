using Weir.EndToEnd.Tests.Fleets;
using Weir.TestKit.Redis;

namespace Weir.EndToEnd.Tests.Faults;

/// <summary>Three node processes that reach their server over a network that a test makes bad.</summary>
public sealed class ProxiedFleet : IAsyncLifetime
{
    private RedisServer? _server;
    private FaultyProxy? _proxy;
    private Fleet? _fleet;

    internal FaultyProxy Proxy => _proxy!;

    internal Fleet Fleet => _fleet!;

    /// <summary>Starts the server and the nodes, and lets them work.</summary>
    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(RedisServer.Unavailable is not null, RedisServer.Unavailable ?? "");
        _server = await RedisServer.StartAsync();
        _proxy = new FaultyProxy(_server.Port);
        _fleet = await Fleet.StartOnAsync($"redis://127.0.0.1:{_proxy.Port}", Ordeal.Rules);
        await Ordeal.WarmAsync(_fleet);
    }

    public async ValueTask DisposeAsync()
    {
        if (_fleet is not null)
            await _fleet.DisposeAsync();
        if (_proxy is not null)
            await _proxy.DisposeAsync();
        if (_server is not null)
            await _server.DisposeAsync();
    }
}
