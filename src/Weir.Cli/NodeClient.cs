namespace Weir.Cli;

/// <summary>Asks a node one question.</summary>
internal static class NodeClient
{
    /// <summary>Sends a request and reads the whole answer.</summary>
    /// <exception cref="NodeUnreachableException">There was no answer in time; the message says why and what to do.</exception>
    public static async Task<(int Status, string Body)> SendAsync(HttpRequestMessage request, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, ConnectTimeout = timeout };
        using var client = new HttpClient(handler) { Timeout = timeout };
        try
        {
            using var response = await client.SendAsync(request, cancellationToken);
            return ((int)response.StatusCode, await response.Content.ReadAsStringAsync(cancellationToken));
        }
        catch (HttpRequestException e)
        {
            throw new NodeUnreachableException(request.RequestUri!, e.InnerException?.Message ?? e.Message, e);
        }
        catch (TaskCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new NodeUnreachableException(request.RequestUri!, $"no answer within {timeout.TotalSeconds:0.#} s", e);
        }
    }
}

/// <summary>A node gave no answer.</summary>
internal sealed class NodeUnreachableException(Uri url, string reason, Exception inner)
    : Exception($"{url.GetLeftPart(UriPartial.Authority)} does not answer: {reason.TrimEnd('.')}. Start a node with 'weir serve', or name another with --url.", inner);
