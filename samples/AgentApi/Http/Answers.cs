using System.Text.Json;
using AgentApi.Hosting;
using Weir.AspNetCore;

namespace AgentApi.Http;

/// <summary>Writes bodies. All of them say who served the request.</summary>
internal sealed class Answers(Identity identity)
{
    private const string ProblemType = "application/problem+json";

    /// <summary>Answers with a value, whose <c>served_by</c> is filled in.</summary>
    public Task SendAsync<T>(HttpContext context, T body, int status = StatusCodes.Status200OK)
        where T : Answer
    {
        context.Response.StatusCode = status;
        return WriteAsync(context, body with { ServedBy = identity }, "application/json");
    }

    /// <summary>Answers that a limit refuses. Status and headers are set already.</summary>
    public Task RefusalAsync(HttpContext context, LimitResult result) =>
        WriteAsync(context, RefusalAnswer.Of(context, result) with { ServedBy = identity }, ProblemType);

    /// <summary>Answers that something is wrong.</summary>
    public Task ProblemAsync(HttpContext context, int status, string title, string detail)
    {
        context.Response.StatusCode = status;
        context.Response.Headers.CacheControl = "no-store";
        var problem = new ProblemAnswer("about:blank", title, status, detail, RequestId.Of(context)) { ServedBy = identity };
        return WriteAsync(context, problem, ProblemType);
    }

    // In one piece and with its length, so that whoever is in between needs to put nothing together.
    private static Task WriteAsync<T>(HttpContext context, T body, string type)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(body, Json.Options);
        context.Response.ContentType = type;
        context.Response.ContentLength = bytes.Length;
        return context.Response.Body.WriteAsync(bytes, context.RequestAborted).AsTask();
    }
}

/// <summary>What every body has.</summary>
internal abstract record Answer
{
    public Identity? ServedBy { get; init; }
}

/// <summary>RFC 9457.</summary>
internal sealed record ProblemAnswer(string Type, string Title, int Status, string Detail, string RequestId) : Answer;
