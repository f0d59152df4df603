using System.Net;
using System.Net.Sockets;

namespace Weir.Stack.Tests.Running;

/// <summary>Ports of this machine that nobody listens on.</summary>
internal static class Ports
{
    /// <summary>Free ports, all different.</summary>
    public static int[] Free(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(static _ => new TcpListener(IPAddress.Any, 0)).ToList();
        try
        {
            return [.. listeners.Select(static l =>
            {
                l.Start();
                return ((IPEndPoint)l.LocalEndpoint).Port;
            })];
        }
        finally
        {
            listeners.ForEach(static l => l.Dispose());
        }
    }
}
