using System.Collections.Concurrent;
using System.Net;

namespace Weir.AspNetCore.Tests.Outgoing;

/// <summary>A server that answers as it is told and counts what reaches it.</summary>
internal sealed class ScriptedServer(Func<int, HttpRequestMessage, HttpResponseMessage> answer) : HttpMessageHandler
{
    private int _requests;

    /// <summary>Requests that came, as "METHOD address body".</summary>
    public ConcurrentQueue<string> Seen { get; } = new();

    public int Requests => Volatile.Read(ref _requests);

    public static HttpResponseMessage Answer(HttpStatusCode status, params (string Name, string Value)[] headers)
    {
        var response = new HttpResponseMessage(status);
        foreach (var (name, value) in headers)
            response.Headers.TryAddWithoutValidation(name, value);
        return response;
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var number = Interlocked.Increment(ref _requests);
        var body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        Seen.Enqueue($"{request.Method} {request.RequestUri} {body}".TrimEnd());
        await Task.Yield();
        var response = answer(number, request);
        response.RequestMessage = request;
        return response;
    }

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = answer(Interlocked.Increment(ref _requests), request);
        response.RequestMessage = request;
        return response;
    }
}
