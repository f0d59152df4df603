using AgentApi.Configuration;
using Weir.Resp;

namespace AgentApi.Cache;

/// <summary>Redis, through Weir's own client: one connection that all requests share. Thread safe.</summary>
internal sealed class RedisCache(AgentConfig config) : IAsyncDisposable
{
    private static readonly RespCommand PingCommand = RespCommand.Create("PING");
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(1);

    private readonly IRespClient _client = RespClients.Create(config.Cache);

    /// <summary>Starts to connect. When the server is not there, attempts go on, and requests that need it say so.</summary>
    public async Task ConnectAsync(ILogger log, CancellationToken cancellation)
    {
        _client.StateChanged += (_, e) => Tell(log, e.State);
        try
        {
            await _client.ConnectAsync(cancellation);
        }
        catch (RespFailureException)
        {
            // The state's change has told of it.
        }
    }

    /// <summary>Sends a command.</summary>
    /// <param name="key">The key that it is about, which in a Cluster says where it goes.</param>
    /// <param name="arguments">The name and what follows it.</param>
    /// <exception cref="CacheUnavailableException">There is no reply.</exception>
    /// <exception cref="RespServerException">The reply is an error.</exception>
    public async Task<RespReply> SendAsync(string key, string[] arguments, CancellationToken cancellation = default)
    {
        var reply = await _client.SendAsync(RespCommand.Create(arguments), RespSlots.Of(key), cancellationToken: cancellation);
        if (!reply.HasReply)
            throw new CacheUnavailableException(reply.Failure.Message);
        if (reply.IsError)
            throw Refused(reply);
        return reply;
    }

    /// <summary>Asks whether the server answers.</summary>
    /// <returns>Null when it does, or what is wrong.</returns>
    public async Task<string?> ProbeAsync(CancellationToken cancellation)
    {
        if (_client.State is { IsConnected: false } state)
            return state.Reason?.Failure.Message ?? "not connected yet";
        using var reply = await _client.SendAsync(PingCommand, slot: -1, cancellationToken: cancellation);
        return reply.IsValue ? null : reply.ErrorMessage;
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _client.DisposeAsync().AsTask().WaitAsync(StopPatience);
        }
        catch (TimeoutException)
        {
            // The process ends anyway.
        }
    }

    private static void Tell(ILogger log, RespClientState state)
    {
        if (state.IsConnected)
            log.LogInformation("cache {Endpoint}: connected, {Server}", state.Endpoint, state.Server);
        else if (state.FailedAttempts <= 1 && state.Reason?.Failure.Cause != RespCause.Disposed)
            log.LogWarning("cache {Endpoint}: {Reason} Trying again.", state.Endpoint, state.Reason?.Message);
    }

    // A server that loads, is full or is a replica now may be well again soon; that is for the caller like a server that is away.
    private static Exception Refused(RespReply reply)
    {
        var (kind, message) = (reply.ErrorKind, reply.ErrorMessage);
        reply.Dispose();
        return kind == RespErrorKind.Other ? new RespServerException(kind, message) : new CacheUnavailableException(message);
    }
}

/// <summary>Redis did not answer. The message says why.</summary>
internal sealed class CacheUnavailableException(string message) : Exception(message);
