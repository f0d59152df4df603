using System.Net;
using System.Net.Sockets;

namespace Weir.Resp;

/// <summary>Name lookup and TCP.</summary>
internal static class RespSocket
{
    /// <summary>Opens a connection to the first address of a host that accepts one.</summary>
    /// <exception cref="RespFailureException">There is none.</exception>
    public static async Task<NetworkStream> ConnectAsync(RespEndpoint endpoint, Action<RespStage> onStage, CancellationToken cancellationToken)
    {
        onStage(RespStage.Resolve);
        var addresses = await ResolveAsync(endpoint, cancellationToken);
        onStage(RespStage.Connect);
        SocketException? last = null;
        foreach (var address in addresses)
        {
            var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
                await socket.ConnectAsync(new IPEndPoint(address, endpoint.Port), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException e)
            {
                socket.Dispose();
                last = e;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
        throw new RespFailureException(new RespFailure(RespStage.Connect, CauseOf(last!)), endpoint, null, last);
    }

    private static async Task<IPAddress[]> ResolveAsync(RespEndpoint endpoint, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(endpoint.Host, out var address))
            return [address];
        SocketException? inner = null;
        try
        {
            // WaitAsync, because a lookup that has begun does not stop for a token everywhere.
            var found = await Dns.GetHostAddressesAsync(endpoint.Host, cancellationToken).WaitAsync(cancellationToken);
            if (found.Length > 0)
                return found;
        }
        catch (SocketException e)
        {
            inner = e;
        }
        throw new RespFailureException(new RespFailure(RespStage.Resolve, RespCause.NameNotFound), endpoint, null, inner);
    }

    private static RespCause CauseOf(SocketException e) => e.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => RespCause.Refused,
        SocketError.TimedOut => RespCause.TimedOut,
        SocketError.ConnectionReset => RespCause.ConnectionLost,
        _ => RespCause.Unreachable,
    };
}
