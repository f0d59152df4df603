using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Weir.AspNetCore;

/// <summary>
/// One connection's worth of a node: sends a batch, answers it, and takes along whoever has waited meanwhile. So a check that is alone goes at once, and
/// batches become as large as the load makes them, without a timer.
/// </summary>
/// <remarks>
/// Runs on one flow at a time. <see cref="Batch"/> changes only under the backend's gate, because the timer that answers late checks reads it there; the lane
/// itself reads it without.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "The writer owns nothing but the buffer, and lives as long as its lane.")]
internal sealed class Lane(NodesBackend owner, RemoteNode node, HttpMessageInvoker http, int maxBatch)
{
    private static readonly MediaTypeHeaderValue Json = new("application/json");

    private readonly ArrayBufferWriter<byte> _request = new(4096);
    private Utf8JsonWriter? _writer;
    private byte[] _response = new byte[4096];
    private int _received;

    public RemoteNode Node => node;

    /// <summary>Checks that are under way.</summary>
    public List<PendingCheck> Batch { get; } = new(maxBatch);

    /// <summary>Whether a flow runs; guarded by the gate.</summary>
    public bool IsRunning { get; set; }

    /// <summary>Whether it stands among those that wait for work; guarded by the gate.</summary>
    public bool IsIdle { get; set; }

    /// <summary>Gives up what is under way. Each request has its own, so that giving up one that has just ended does not hit the next.</summary>
    public CancellationTokenSource Aborting { get; private set; } = new();

    /// <summary>Sends batches until nobody waits. The first batch was put there by who starts it.</summary>
    public async Task RunAsync()
    {
        do
        {
            await SendAsync();
        }
        while (owner.Continue(this));
    }

    // Ends every check of the batch, or gives it back to those that wait.
    private async Task SendAsync()
    {
        var aborting = new CancellationTokenSource();
        Aborting = aborting;
        try
        {
            using var request = Request();
            using var response = await http.SendAsync(request, aborting.Token);
            await ReceiveAsync(response, aborting.Token);
            Take(response);
        }
        catch (HttpRequestException e) when (IsNotSent(e))
        {
            owner.Fail(node, e.Message);
            owner.PutBack(this);
        }
        catch (OperationCanceledException)
        {
            owner.Fail(node, "no answer in time");
            owner.EndByPolicy(this);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or JsonException or ObjectDisposedException)
        {
            // It may have been charged, so it is not sent again.
            owner.Fail(node, e.Message);
            owner.EndByPolicy(this);
        }
    }

    /// <summary>Whether a request has failed before anything of it was sent.</summary>
    public static bool IsNotSent(HttpRequestException e) =>
        e.HttpRequestError is HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError
        && e.InnerException is not IOException { InnerException: System.Net.Sockets.SocketException { SocketErrorCode: System.Net.Sockets.SocketError.ConnectionReset } };

    private HttpRequestMessage Request()
    {
        _request.ResetWrittenCount();
        if (_writer is null)
            _writer = new Utf8JsonWriter(_request, new JsonWriterOptions { SkipValidation = true });
        else
            _writer.Reset(_request);
        CheckWriter.WriteBatch(_writer, Batch);
        _writer.Flush();
        var content = new ReadOnlyMemoryContent(_request.WrittenMemory);
        content.Headers.ContentType = Json;
        return new HttpRequestMessage(HttpMethod.Post, node.CheckUri) { Content = content };
    }

    private async Task ReceiveAsync(HttpResponseMessage response, CancellationToken aborted)
    {
        _received = 0;
        using var body = await response.Content.ReadAsStreamAsync(aborted);
        while (await body.ReadAsync(_response.AsMemory(_received), aborted) is var count and > 0)
        {
            _received += count;
            if (_received == _response.Length)
                Array.Resize(ref _response, 2 * _response.Length);
        }
    }

    private void Take(HttpResponseMessage response)
    {
        var body = _response.AsSpan(0, _received);
        switch (response.StatusCode)
        {
            case HttpStatusCode.OK:
                AnswerReader.AnswerBatch(body, Batch);
                owner.Succeeded(node);
                break;
            case HttpStatusCode.BadRequest:
                Reject(body);
                break;
            default:
                owner.Fail(node, $"it answered {(int)response.StatusCode}");
                owner.EndByPolicy(this);
                return;
        }
        // It stops, and takes no more.
        if (response.Headers.ConnectionClose == true)
            owner.Fail(node, "it is stopping");
    }

    // Nothing was charged. The one at fault is told, the others go again.
    private void Reject(ReadOnlySpan<byte> body)
    {
        var (index, detail) = AnswerReader.ReadProblem(body);
        if (index < 0 || index >= Batch.Count)
        {
            foreach (var check in Batch)
                owner.Reject(check, detail);
            return;
        }
        owner.Reject(Batch[index], detail);
        owner.PutBack(this);
    }
}
