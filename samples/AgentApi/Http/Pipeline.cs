using AgentApi.Cache;
using AgentApi.Configuration;
using AgentApi.Data;
using AgentApi.Hosting;
using AgentApi.Limiting;
using Microsoft.AspNetCore.HttpOverrides;
using Npgsql;
using Weir.Resp;

namespace AgentApi.Http;

/// <summary>What happens to every request around its endpoint, in this order.</summary>
internal static class Pipeline
{
    public static void Use(WebApplication app, AgentConfig config)
    {
        var services = app.Services;
        var (identity, state, answers) = (services.GetRequiredService<Identity>(), services.GetRequiredService<AgentState>(), services.GetRequiredService<Answers>());
        var (visits, log) = (services.GetRequiredService<VisitCounter>(), services.GetRequiredService<ILogger<Answers>>());
        app.Use((context, next) => SignAsync(context, next, identity, state));
        app.Use((context, next) => ExplainFailureAsync(context, next, answers, log));
        app.UseStatusCodePages(context => ExplainStatusAsync(context.HttpContext, answers));
        app.UseForwardedHeaders(Forwarded(config));
        app.Use(AnswerHead);
        app.Use((context, next) => CountAsync(context, next, state, visits));
        app.UseRouting();
        app.Use((context, next) => IdentifyAsync(context, next, config));
        // Behind it stand also those whose key nobody has, so that guessing keys has the limit of an address.
        app.UseLimits(config.Limiter);
        app.Use((context, next) => TurnAwayAsync(context, next, answers));
    }

    private static Task SignAsync(HttpContext context, RequestDelegate next, Identity identity, AgentState state)
    {
        var headers = context.Response.Headers;
        headers["X-Served-By"] = identity.Instance;
        headers[RequestId.Header] = RequestId.Assign(context);
        headers["X-Content-Type-Options"] = "nosniff";
        // Who keeps a connection to an instance that stops would send the next request into its end.
        if (state.IsStopping)
            headers.Connection = "close";
        return next(context);
    }

    private static async Task ExplainFailureAsync(HttpContext context, RequestDelegate next, Answers answers, ILogger log)
    {
        try
        {
            await next(context);
        }
        catch (Exception e) when (!context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            switch (e)
            {
                case InputException input:
                    await answers.ProblemAsync(context, input.Status, TitleOf(input.Status), input.Message);
                    break;
                case BadHttpRequestException bad:
                    await answers.ProblemAsync(context, bad.StatusCode, TitleOf(bad.StatusCode), bad.StatusCode == StatusCodes.Status413PayloadTooLarge
                        ? $"body: it has more than {BodyReader.MaxBytes} bytes. Send less."
                        : bad.Message);
                    break;
                case NpgsqlException or TimeoutException when Database.IsUnavailable(e):
                    log.LogWarning("{RequestId}: database: {Reason}", RequestId.Of(context), Database.Describe(e));
                    await UnavailableAsync(context, answers, $"The database cannot be used: {Database.Describe(e)}. Try again soon.");
                    break;
                case CacheUnavailableException:
                    log.LogWarning("{RequestId}: cache: {Reason}", RequestId.Of(context), e.Message);
                    await UnavailableAsync(context, answers, $"The cache cannot be used: {e.Message} Try again soon.");
                    break;
                default:
                    log.LogError(e, "{RequestId}: failed", RequestId.Of(context));
                    await answers.ProblemAsync(context, 500, TitleOf(500), "This is our mistake. The log has more under the request's X-Request-ID.");
                    break;
            }
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there any more to be answered.
        }
    }

    private static Task UnavailableAsync(HttpContext context, Answers answers, string detail)
    {
        context.Response.Headers.RetryAfter = "1";
        return answers.ProblemAsync(context, StatusCodes.Status503ServiceUnavailable, TitleOf(503), detail);
    }

    // The router answers with a bare status.
    private static Task ExplainStatusAsync(HttpContext context, Answers answers) => context.Response.StatusCode switch
    {
        404 => answers.ProblemAsync(context, 404, TitleOf(404), "There is nothing here. The README lists what there is."),
        405 => answers.ProblemAsync(context, 405, TitleOf(405), $"{context.Request.Method} is not possible here; {context.Response.Headers.Allow} is."),
        var status => answers.ProblemAsync(context, status, TitleOf(status), "The request cannot be done."),
    };

    // Only the proxies that are named are believed, and each only about who came to it. What a stranger writes into the header changes nothing.
    private static ForwardedHeadersOptions Forwarded(AgentConfig config)
    {
        var options = new ForwardedHeadersOptions
        {
            ForwardedHeaders = config.TrustedProxies.Count > 0 ? ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto : ForwardedHeaders.None,
            ForwardLimit = null,
        };
        options.KnownIPNetworks.Clear();
        options.KnownProxies.Clear();
        foreach (var network in config.TrustedProxies)
            options.KnownIPNetworks.Add(network);
        return options;
    }

    // Health checks of balancers and containers ask with HEAD. The server leaves the body out by itself.
    private static Task AnswerHead(HttpContext context, RequestDelegate next)
    {
        if (HttpMethods.IsHead(context.Request.Method))
            context.Request.Method = HttpMethods.Get;
        return next(context);
    }

    private static async Task CountAsync(HttpContext context, RequestDelegate next, AgentState state, VisitCounter visits)
    {
        if (IsHealth(context))
        {
            await next(context);
            return;
        }
        state.Enter();
        // Sent before whatever the request itself sends on the same connection, and not waited for.
        _ = visits.CountRequestAsync();
        try
        {
            await next(context);
        }
        finally
        {
            state.Leave();
        }
    }

    private static Task IdentifyAsync(HttpContext context, RequestDelegate next, AgentConfig config)
    {
        Caller.Identify(context, config.ApiKeys);
        return next(context);
    }

    private static Task TurnAwayAsync(HttpContext context, RequestDelegate next, Answers answers) =>
        IsHealth(context) || !Caller.IsUnknown(context)
            ? next(context)
            : answers.ProblemAsync(context, StatusCodes.Status401Unauthorized, TitleOf(401), $"{Caller.Header}: nobody has this key. Send one that was given to you, or none.");

    private static bool IsHealth(HttpContext context) => context.Request.Path.StartsWithSegments("/health");

    private static string TitleOf(int status) => Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(status) is { Length: > 0 } phrase ? phrase : "Error";
}
