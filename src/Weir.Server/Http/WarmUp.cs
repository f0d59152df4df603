using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Weir.Server.Deciding;
using Weir.Server.Metrics;

namespace Weir.Server.Http;

/// <summary>
/// Answers a few calls that nobody made, before the node listens: code is compiled when it first runs, and the first callers would wait for that, some of them longer
/// than their deadlines. What it decides and counts is thrown away.
/// </summary>
internal static class WarmUp
{
    private static readonly (string Method, string Target, string Body)[] Calls =
    [
        ("GET", "/rate-limit/warm-up", ""),
        ("POST", "/check", """{"key":"warm-up"}"""),
        // The second of two is refused.
        ("POST", "/check", """{"key":"warm-up","limit":1,"window_ms":60000}"""),
        ("POST", "/check", """{"checks":[{"key":"warm-up"},{"key":"warm-up","limit":1,"window_ms":60000}]}"""),
    ];

    /// <summary>Makes each call twice.</summary>
    /// <param name="resolver">The node's; deciding does not change it.</param>
    public static async Task RunAsync(ChargeResolver resolver)
    {
        using var engine = new MemoryEngine(new MemoryEngineOptions { MaxCounters = 1_000 });
        var state = new NodeState(engine.Clock, static () => null);
        var endpoints = new CheckEndpoints(engine, "", resolver, new MemoryReservationBook(engine.Clock), new NodeMetrics(TimeProvider.System, static () => 0), state);
        for (var round = 0; round < 2; round++)
        {
            foreach (var (method, target, body) in Calls)
                await endpoints.HandleAsync(Features(method, target, body));
        }
    }

    private static FeatureCollection Features(string method, string target, string body)
    {
        var features = new FeatureCollection();
        features.Set<IHttpRequestFeature>(new HttpRequestFeature { Method = method, Path = target, RawTarget = target, Body = new MemoryStream(Encoding.UTF8.GetBytes(body)) });
        features.Set<IHttpResponseFeature>(new HttpResponseFeature());
        features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(Stream.Null));
        return features;
    }
}
