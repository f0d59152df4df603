namespace Weir.Resp;

/// <summary>Knows where the server is that a client should be connected to.</summary>
internal interface IEndpointSource : IAsyncDisposable
{
    /// <summary>Finds it.</summary>
    /// <exception cref="RespFailureException">Nobody could tell.</exception>
    Task<RespEndpoint> ResolveAsync(CancellationToken cancellationToken);

    /// <summary>Completes when the server is no longer this one. May fail only by cancellation.</summary>
    Task WatchAsync(RespEndpoint current, CancellationToken cancellationToken);
}

/// <summary>A server that is always at the same place.</summary>
internal sealed class FixedEndpoint(RespEndpoint endpoint) : IEndpointSource
{
    public Task<RespEndpoint> ResolveAsync(CancellationToken cancellationToken) => Task.FromResult(endpoint);

    public Task WatchAsync(RespEndpoint current, CancellationToken cancellationToken) => Task.Delay(Timeout.Infinite, cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
