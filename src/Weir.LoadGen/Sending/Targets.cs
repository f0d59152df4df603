using System.Net;
using System.Net.Sockets;

namespace Weir.LoadGen.Sending;

/// <summary>Finds out, before any request is sent, what there is to send to.</summary>
internal static class Targets
{
    private static readonly TimeSpan LongestConnect = TimeSpan.FromSeconds(5);

    /// <summary>The targets behind the URLs: one each, or one for every address behind its name.</summary>
    /// <param name="urls">What was asked for.</param>
    /// <param name="eachAddress">Whether every address is a target of its own.</param>
    /// <param name="problems">Names without an address are told here.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task<List<Target>> FindAsync(IEnumerable<Uri> urls, bool eachAddress, List<string> problems, CancellationToken cancellation)
    {
        var targets = new List<Target>();
        foreach (var url in urls)
        {
            if (!eachAddress)
            {
                targets.Add(new Target(url, null));
                continue;
            }
            try
            {
                var addresses = await Dns.GetHostAddressesAsync(url.IdnHost, cancellation);
                targets.AddRange(addresses.Order(AddressOrder.Instance).Select(a => new Target(url, a)));
            }
            catch (Exception e) when (e is SocketException or ArgumentException)
            {
                problems.Add(Problem(new Target(url, null), e.Message));
            }
        }
        return targets;
    }

    /// <summary>Connects once to every target and sends nothing.</summary>
    /// <returns>A line for each that cannot be reached.</returns>
    public static async Task<List<string>> ReachAsync(IReadOnlyList<Target> targets, TimeSpan timeout, CancellationToken cancellation)
    {
        var found = await Task.WhenAll(targets.Select(t => ReachAsync(t, timeout < LongestConnect ? timeout : LongestConnect, cancellation)));
        return [.. found.OfType<string>()];
    }

    private static async Task<string?> ReachAsync(Target target, TimeSpan timeout, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(timeout);
        using var client = new TcpClient();
        try
        {
            if (target.Address is { } address)
                await client.ConnectAsync(address, target.Url.Port, patience.Token);
            else
                await client.ConnectAsync(target.Url.IdnHost, target.Url.Port, patience.Token);
            return null;
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            return Problem(target, e.Message);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return Problem(target, $"no connection within {timeout.TotalSeconds:0.###} s");
        }
    }

    private static string Problem(Target target, string reason) =>
        $"{target.Name} cannot be reached: {reason.TrimEnd('.')}. Start the server, correct --targets, or give --no-preflight to send all the same.";

    private sealed class AddressOrder : IComparer<IPAddress>
    {
        public static readonly AddressOrder Instance = new();

        public int Compare(IPAddress? x, IPAddress? y) => string.CompareOrdinal(x?.ToString(), y?.ToString());
    }
}
