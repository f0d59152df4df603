namespace Weir.Resp;

/// <summary>
/// Sends commands to one server, to the primary that Sentinels name, or to a Cluster, and keeps the connections to them. Thread safe.
/// Make one with <see cref="RespClients.Create"/>.
/// </summary>
public interface IRespClient : IAsyncDisposable
{
    /// <summary>
    /// Raised when a connection is made, lost, or could not be made again, in order for each server. Handlers must be quick and must not
    /// wait; what they throw is ignored.
    /// </summary>
    event EventHandler<RespStateChangedEventArgs>? StateChanged;

    /// <summary>How things are now; of a Cluster, connected only when all its primaries are.</summary>
    RespClientState State { get; }

    /// <summary>
    /// The clients of all servers that take writes: one, but for a Cluster. For questions to each of them, such as <c>SCAN</c>.
    /// </summary>
    IReadOnlyList<RespClient> Primaries { get; }

    /// <summary>
    /// Starts to connect and waits for what comes of the first attempt. Afterwards connections are kept without further ado.
    /// </summary>
    /// <param name="cancellationToken">Stops waiting, not connecting.</param>
    /// <exception cref="RespFailureException">The first attempt failed, and the message says why. Attempts go on.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    Task ConnectAsync(CancellationToken cancellationToken = default);

    /// <summary>Sends a command and waits for its reply. Failures are part of the result and not thrown.</summary>
    /// <remarks>Only a command of which the server proves that it did not run is ever sent again: when a Cluster redirects it.</remarks>
    /// <param name="command">What to send.</param>
    /// <param name="slot">
    /// Where a Cluster keeps its keys, from <see cref="RespSlots.Of(ReadOnlySpan{byte})"/>. Others ignore it; -1: any server.
    /// </param>
    /// <param name="timeout">How long to wait, redirections included. Zero: <see cref="RespOptions.CommandTimeout"/>.</param>
    /// <param name="cancellationToken">Stops waiting. The command may be executed nevertheless.</param>
    /// <returns>The reply, to be disposed of; or why there is none. Await it exactly once.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="InvalidOperationException">The command was written wrongly. Nothing was sent.</exception>
    ValueTask<RespReply> SendAsync(IRespCommand command, int slot, TimeSpan timeout = default, CancellationToken cancellationToken = default);
}
