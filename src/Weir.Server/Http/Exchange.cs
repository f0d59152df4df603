using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Weir.Server.Deciding;

namespace Weir.Server.Http;

/// <summary>One request and its response on the server's own features, without an <c>HttpContext</c> around them.</summary>
internal readonly struct Exchange(IFeatureCollection features)
{
    /// <summary>Largest body that is read: 1 MB.</summary>
    public const int MaxBodyBytes = 1024 * 1024;

    /// <summary>
    /// Largest body that is taken off the wire to be refused: 16 MB. A caller that is still sending when its connection closes would see the
    /// connection break instead of the answer.
    /// </summary>
    public const int MaxDrainedBytes = 16 * MaxBodyBytes;

    // About ten checks.
    private const int LongBody = 512;

    private const string Json = "application/json";
    private const string ProblemJson = "application/problem+json";

    public IHttpRequestFeature Request { get; } = features.GetRequiredFeature<IHttpRequestFeature>();

    public IHttpResponseFeature Response { get; } = features.GetRequiredFeature<IHttpResponseFeature>();

    /// <summary>Reads the whole body. What is made of a long one is made on the pool: other connections wait for the thread that received this one.</summary>
    /// <exception cref="InputException">It is larger than <see cref="MaxBodyBytes"/>.</exception>
    public async ValueTask<byte[]> ReadBodyAsync()
    {
        // A caller that asks before it sends has nothing under way.
        if (Request.Headers.ContentLength > MaxBodyBytes && Request.Headers.Expect.Count > 0)
            throw TooLarge();
        var reader = features.Get<IRequestBodyPipeFeature>()?.Reader ?? PipeReader.Create(Request.Body);
        try
        {
            var body = await ReadAsync(reader) ?? throw TooLarge();
            if (body.Length > LongBody)
                await Task.Yield();
            return body;
        }
        catch (BadHttpRequestException e) when (e.StatusCode == 413)
        {
            throw TooLarge();
        }
    }

    // Null when the body is too large; it was then read to its end.
    private static async ValueTask<byte[]?> ReadAsync(PipeReader reader)
    {
        var isTooLarge = false;
        while (true)
        {
            var read = await reader.ReadAsync();
            isTooLarge |= read.Buffer.Length > MaxBodyBytes;
            if (read.IsCompleted)
            {
                var body = isTooLarge ? null : read.Buffer.ToArray();
                reader.AdvanceTo(read.Buffer.End);
                return body;
            }
            reader.AdvanceTo(isTooLarge ? read.Buffer.End : read.Buffer.Start, read.Buffer.End);
        }
    }

    /// <summary>Writes the answer in one piece.</summary>
    public Task AnswerAsync(int status, ReadOnlySpan<byte> body)
    {
        Response.StatusCode = status;
        var headers = Response.Headers;
        headers.ContentType = status < 400 ? Json : ProblemJson;
        headers.ContentLength = body.Length;
        if (status == 429)
            headers.CacheControl = "no-store";
        var writer = features.GetRequiredFeature<IHttpResponseBodyFeature>().Writer;
        body.CopyTo(writer.GetSpan(body.Length));
        writer.Advance(body.Length);
        // The server sends what was written when the request ends; flushing here would wake its sender once more.
        return Task.CompletedTask;
    }

    /// <summary>Ends the connection without an answer.</summary>
    public void Abort() => features.Get<IHttpRequestLifetimeFeature>()?.Abort();

    public void SetHeader(string name, StringValues value) => Response.Headers[name] = value;

    private static InputException TooLarge() =>
        new("body", $"more than {MaxBodyBytes:N0} bytes. Send fewer checks at once.", 413);
}
