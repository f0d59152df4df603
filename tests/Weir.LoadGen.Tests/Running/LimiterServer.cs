using Microsoft.AspNetCore.Http;

namespace Weir.LoadGen.Tests.Running;

/// <summary>A limiter over HTTP that keeps its promise, or does not: the true engine behind the answers that a node gives.</summary>
internal sealed class LimiterServer : IDisposable
{
    private readonly MemoryEngine _engine = new();
    private readonly Rule _rule;

    /// <param name="permits">What it admits in truth.</param>
    /// <param name="window">The window.</param>
    public LimiterServer(long permits, TimeSpan window) => _rule = Rule.TryCreate(new RuleOptions { Permits = permits, Window = window }, [])!;

    public async Task AnswerAsync(HttpContext context)
    {
        // 128 bits of the key are its first sixteen letters: tests' keys differ in them.
        var key = context.Request.Path.Value!.Split('/')[^1].PadRight(32)[^32..].Select(static c => (ulong)c).ToArray();
        var id = new CounterId(key.Aggregate(17UL, static (a, c) => (a * 31) + c), key.Aggregate(3UL, static (a, c) => (a * 131) + c));
        var decision = await _engine.DecideAsync(new Charge(_rule, id, 1, default));
        context.Response.StatusCode = decision.IsAllowed ? 200 : 429;
        context.Response.Headers["X-RateLimit-Limit"] = $"{_rule.Permits}";
        context.Response.Headers["X-RateLimit-Remaining"] = $"{decision.Remaining}";
        if (!decision.IsAllowed)
            context.Response.Headers.RetryAfter = $"{(decision.RetryAfterMicros + 999_999) / 1_000_000}";
    }

    public void Dispose() => _engine.Dispose();
}
