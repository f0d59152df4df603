using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Weir.AspNetCore;

/// <content>Calls that travel alone: reserve, commit, renew, refund.</content>
internal sealed partial class NodesBackend
{
    private static readonly MediaTypeHeaderValue Json = new("application/json");

    /// <summary>What a node knows a reservation by. It is settled there at most once, so that settling can be tried again.</summary>
    private sealed record Held(string Name);

    /// <summary>What came of a call.</summary>
    /// <param name="Status">The answer's status; 0 when there was none.</param>
    /// <param name="Body">The answer's body.</param>
    /// <param name="MayBeDone">Without an answer: whether it may have been done.</param>
    /// <param name="Policy">The header <c>RateLimit-Policy</c>; null when there was none.</param>
    private readonly record struct Reply(int Status, byte[] Body, bool MayBeDone, string? Policy = null);

    public override async ValueTask<LimitReservation> ReserveAsync(PendingCheck check, TimeSpan timeToLive)
    {
        var reply = await SendAsync("/reserve", json =>
        {
            CheckWriter.WriteFields(json, check, forReservation: true);
            json.WriteNumber("ttl_ms"u8, (long)timeToLive.TotalMilliseconds);
        });
        if (reply.Status == 400)
        {
            var (_, detail) = AnswerReader.ReadProblem(reply.Body);
            if (check.Asked is not null)
                throw new WeirException(detail);
            _log.LogError("a node does not understand a reservation, and the failure policy answers: {Reason}", detail);
        }
        if (reply.Status is not (200 or 429 or 503) || TryRead(reply, check) is not { } answer)
            return _fallback.Reserve(check, timeToLive);
        return answer.Reservation is { } name
            ? new LimitReservation(answer.Result, new Held(name), TimeSpan.FromMilliseconds(answer.ExpiresMillis))
            : new LimitReservation(answer.Result, null, TimeSpan.Zero);
    }

    public override async ValueTask<bool> CommitAsync(LimitReservation reservation, int? actual)
    {
        if (reservation.Taken is EngineBackend.Taken local)
            return await _fallback.CommitAsync(local, actual);
        if (reservation.Taken is not Held held)
            return true;
        var mayBeDone = false;
        // A node takes a reservation out before it settles it, so whoever comes second finds nothing.
        for (var attempt = 0; attempt < 2; attempt++)
        {
            var reply = await SendAsync("/commit", json =>
            {
                json.WriteString("reservation"u8, held.Name);
                if (actual is { } cost)
                    json.WriteNumber("actual"u8, cost);
                else
                    json.WriteNull("actual"u8);
            });
            if (reply.Status == 200)
                return true;
            if (reply.Status is not (0 or 503))
                return reply.Status == 404 && mayBeDone;
            mayBeDone |= reply.MayBeDone;
        }
        return false;
    }

    public override async ValueTask<bool> RenewAsync(LimitReservation reservation)
    {
        if (reservation.Taken is EngineBackend.Taken local)
            return await _fallback.RenewAsync(local);
        if (reservation.Taken is not Held held)
            return reservation.IsAllowed;
        return (await SendAsync("/renew", json => json.WriteString("reservation"u8, held.Name))).Status == 200;
    }

    public override async ValueTask<long> RefundAsync(LimitReceipt receipt)
    {
        if (receipt.Taken is not string name)
            return 0;
        var check = PendingCheck.Of(receipt.Charges);
        try
        {
            var reply = await SendAsync("/refund", json =>
            {
                CheckWriter.WriteFields(json, check, forReservation: false);
                json.WriteString("receipt"u8, name);
            });
            return reply.Status == 200 ? AnswerReader.ReadRefunded(reply.Body) : 0;
        }
        finally
        {
            check.Release();
        }
    }

    private static AnswerReader.Answer? TryRead(in Reply reply, PendingCheck check)
    {
        try
        {
            return AnswerReader.ReadOne(reply.Body, check, reply.Policy);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    // Tries other nodes only as long as nothing has reached one.
    private async Task<Reply> SendAsync(string path, Action<Utf8JsonWriter> write)
    {
        var body = Body(write);
        using var deadline = new CancellationTokenSource(_options.Timeout, _time);
        while (NextUsed() is { } node)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(node.Address, path)) { Content = new ReadOnlyMemoryContent(body) };
                request.Content.Headers.ContentType = Json;
                using var response = await _http.SendAsync(request, deadline.Token);
                var answer = await response.Content.ReadAsByteArrayAsync(deadline.Token);
                if (response.StatusCode is HttpStatusCode.BadGateway or HttpStatusCode.GatewayTimeout)
                    return new Reply(0, [], true);
                return new Reply((int)response.StatusCode, answer, false, response.Headers.TryGetValues("RateLimit-Policy", out var policy) ? policy.First() : null);
            }
            catch (HttpRequestException e)
            {
                Fail(node, e.Message);
                if (!Lane.IsNotSent(e))
                    return new Reply(0, [], true);
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
            {
                Fail(node, "no answer in time");
                return new Reply(0, [], true);
            }
        }
        return new Reply(0, [], false);
    }

    private static ReadOnlyMemory<byte> Body(Action<Utf8JsonWriter> write)
    {
        var body = new ArrayBufferWriter<byte>(512);
        using var json = new Utf8JsonWriter(body, new JsonWriterOptions { SkipValidation = true });
        json.WriteStartObject();
        write(json);
        json.WriteEndObject();
        json.Flush();
        return body.WrittenMemory;
    }

    private int _next;

    private RemoteNode? NextUsed()
    {
        lock (_gate)
        {
            for (var i = 0; i < _nodes.Length && !_isDisposed; i++)
            {
                var node = _nodes[(int)((uint)_next++ % (uint)_nodes.Length)];
                if (node.IsUsed)
                    return node;
            }
        }
        return null;
    }
}
