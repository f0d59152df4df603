using Weir.TestKit.Redis;

namespace Weir.EndToEnd.Tests.Fleets;

/// <summary>Three node processes that several tests use one after the other. Where there is no server, those tests skip themselves.</summary>
public abstract class FleetFixture : IAsyncLifetime
{
    private Fleet? _fleet;

    internal Fleet Fleet
    {
        get
        {
            Assert.SkipWhen(RedisServer.Unavailable is not null, RedisServer.Unavailable ?? "");
            return _fleet!;
        }
    }

    public async ValueTask InitializeAsync()
    {
        // Skipping here would fail the tests.
        if (RedisServer.Unavailable is not null)
            return;
        _fleet = await StartAsync();
        await PrepareAsync(_fleet);
    }

    public virtual async ValueTask DisposeAsync()
    {
        if (_fleet is not null)
            await _fleet.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private protected abstract Task<Fleet> StartAsync();

    /// <summary>What the nodes do before the first test.</summary>
    private protected virtual Task PrepareAsync(Fleet fleet) => Task.CompletedTask;
}
