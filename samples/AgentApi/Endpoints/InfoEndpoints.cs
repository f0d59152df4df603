using System.Security.Cryptography;
using AgentApi.Cache;
using AgentApi.Configuration;
using AgentApi.Data;
using AgentApi.Hosting;
using AgentApi.Http;

namespace AgentApi.Endpoints;

/// <summary>What the service says of itself, and a little work to do.</summary>
internal sealed class InfoEndpoints(AgentConfig config, StatsReader stats, UserStore users, VisitCounter visits, Answers answers, TimeProvider time)
{
    private const int DefaultWork = 2_000;
    private const int MaxWork = 50_000;

    public void Map(WebApplication app)
    {
        app.MapGet("/", RootAsync);
        app.MapGet("/config", ConfigAsync);
        app.MapGet("/stats", StatsAsync);
        app.MapGet("/visits", VisitsAsync);
        app.MapGet("/load-test", WorkAsync);
        app.MapGet("/users", UsersAsync);
    }

    private string CacheName => config.Cache.ToString();

    private async Task RootAsync(HttpContext context)
    {
        long? count = null;
        try
        {
            count = await visits.CountVisitAsync(context.RequestAborted);
        }
        catch (CacheUnavailableException)
        {
            // The page stands without its counter.
        }
        await answers.SendAsync(context, new RootAnswer("An assistant with memory", config.Database.Host, config.Cache.Endpoints[0].Host, count));
    }

    private Task ConfigAsync(HttpContext context) => answers.SendAsync(context, new ConfigAnswer(
        config.LogLevel.ToString().ToLowerInvariant(),
        config.Port,
        new StoreConfig(config.Database.ToString(), config.Database.Password.ToString().ToLowerInvariant()),
        new StoreConfig(CacheName, config.CachePassword.ToString().ToLowerInvariant()),
        LimiterOf(config.Limiter),
        config.ApiKeys.Users.Count(),
        config.TrustedProxies.Count,
        (int)config.Drain.TotalSeconds,
        (int)config.ShutdownGrace.TotalSeconds));

    private static LimiterView LimiterOf(LimiterConfig limiter) => new(
        limiter.Kind.ToString().ToLowerInvariant(),
        limiter.Nodes.Select(static n => n.Authority),
        limiter.Failure.ToString().ToLowerInvariant(),
        limiter.AddressPerMinute,
        limiter.UserPerMinute,
        limiter.TokensPerMinute);

    private async Task StatsAsync(HttpContext context) => await answers.SendAsync(context, await stats.ReadAsync(context.RequestAborted));

    private async Task VisitsAsync(HttpContext context)
    {
        var (total, instances) = await visits.ReadAsync(context.RequestAborted);
        await answers.SendAsync(context, new VisitsAnswer(total, instances));
    }

    // Work for the processor that does not end by the clock, so that a busy machine does not get more of it.
    private Task WorkAsync(HttpContext context)
    {
        var work = Query.Integer(context, "work", DefaultWork, 1, MaxWork);
        var since = time.GetTimestamp();
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        digest.Clear();
        for (var i = 0; i < work; i++)
            SHA256.HashData(digest, digest);
        return answers.SendAsync(context, new WorkAnswer(work, Convert.ToHexStringLower(digest), Math.Round(time.GetElapsedTime(since).TotalMilliseconds, 3)));
    }

    private async Task UsersAsync(HttpContext context) => await answers.SendAsync(context, new UsersAnswer(await users.ListAsync(context.RequestAborted)));

    private sealed record RootAnswer(string Message, string DatabaseHost, string CacheHost, long? Visits) : Answer;

    private sealed record ConfigAnswer(
        string LogLevel, int Port, StoreConfig Database, StoreConfig Cache, LimiterView Limiter, int ApiKeyUsers, int TrustedProxies, int DrainSeconds, int ShutdownSeconds) : Answer;

    private sealed record StoreConfig(string Address, string PasswordFrom);

    private sealed record LimiterView(
        string Kind, IEnumerable<string> Nodes, string FailurePolicy, int AddressPerMinute, int UserPerMinute, int TokensPerMinute);

    private sealed record VisitsAnswer(long Visits, List<InstanceVisits> Instances) : Answer;

    private sealed record WorkAnswer(int Work, string Digest, double TookMs) : Answer;

    private sealed record UsersAnswer(List<User> Users) : Answer;
}
