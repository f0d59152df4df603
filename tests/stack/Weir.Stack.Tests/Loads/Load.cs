using System.Collections.Concurrent;
using System.Net;

namespace Weir.Stack.Tests.Loads;

/// <summary>
/// Requests at a constant rate until told to stop, each sent when it is due whether or not earlier ones were answered, and never sent twice.
/// </summary>
/// <remarks>One task plans; each request writes its own record into a concurrent bag.</remarks>
internal sealed class Load
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(5);
    private readonly ConcurrentBag<Answer> _answers = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly long _since = TimeProvider.System.GetTimestamp();
    private readonly HttpClient _client;
    private readonly Func<int, HttpRequestMessage> _request;
    private readonly double _rate;
    private readonly Task _running;

    private Load(Uri target, double rate, Func<int, HttpRequestMessage> request)
    {
        (_rate, _request) = (rate, request);
        _client = new HttpClient(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, UseCookies = false, ActivityHeadersPropagator = null, PooledConnectionIdleTimeout = TimeSpan.FromSeconds(20), ConnectTimeout = TimeSpan.FromSeconds(3) })
        {
            BaseAddress = target,
            Timeout = TimeSpan.FromSeconds(10),
        };
        _running = Task.Run(RunAsync);
    }

    /// <summary>Requests a second where a test does not say otherwise. The whole stack and the load share this machine: 40 a processor leave it room for faults.</summary>
    public static double DefaultRate { get; } =
        Environment.GetEnvironmentVariable("WEIR_STACK_RATE") is { Length: > 0 } rate ? double.Parse(rate) : Math.Min(200, 40 * Environment.ProcessorCount);

    /// <summary>Time since the load began, by which answers are recorded.</summary>
    public TimeSpan Now => TimeProvider.System.GetElapsedTime(_since);

    /// <summary>Answers so far.</summary>
    public int Count => _answers.Count;

    /// <summary>Starts a load of GET requests on a path.</summary>
    public static Load Get(Uri target, string path, double? rate = null) =>
        new(target, rate ?? DefaultRate, _ => new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative)));

    /// <summary>Starts a load of requests that the caller makes, told their number.</summary>
    public static Load Of(Uri target, double rate, Func<int, HttpRequestMessage> request) => new(target, rate, request);

    /// <summary>What was answered so far.</summary>
    public List<Answer> Answers => [.. _answers.OrderBy(static a => a.SentAt)];

    /// <summary>Sends no more, awaits what is under way, and tells.</summary>
    public async Task<Report> StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
        return new Report(Answers);
    }

    private async Task RunAsync()
    {
        var underWay = new List<Task>();
        var sent = 0;
        while (!_stop.IsCancellationRequested)
        {
            for (var due = (int)(Now.TotalSeconds * _rate); sent < due; sent++)
                underWay.Add(SendAsync(sent));
            if (underWay.Count > 1000)
                underWay.RemoveAll(static t => t.IsCompletedSuccessfully);
            await Task.Delay(Step);
        }
        await Task.WhenAll(underWay);
        _client.Dispose();
    }

    private async Task SendAsync(int number)
    {
        var at = Now;
        try
        {
            using var request = _request(number);
            using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseContentRead);
            var answer = new Answer(number, at, Now, (int)response.StatusCode, Header(response, "X-Served-By"), Header(response, "X-Upstream-Server"), null);
            _answers.Add(answer.IsFailure ? answer with { Error = $"{answer.Status} ({Shortened(await response.Content.ReadAsStringAsync())})" } : answer);
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            _answers.Add(new Answer(number, at, Now, 0, null, null, Kind(e)));
        }
    }

    // The address of a container that is gone says nothing at all, so that connecting takes until its timeout.
    private static string Kind(Exception e) => e switch
    {
        HttpRequestException { HttpRequestError: not HttpRequestError.Unknown } h => $"{h.HttpRequestError}",
        _ when e.ToString().Contains(nameof(SocketsHttpHandler.ConnectTimeout), StringComparison.Ordinal) => $"{HttpRequestError.ConnectionError}",
        _ => e.GetType().Name,
    };

    // What the balancer, the application or a node said of it.
    private static string Shortened(string body)
    {
        const int most = 400;
        var line = body.ReplaceLineEndings(" ").Trim();
        return line.Length <= most ? line : $"{line[..most]}…";
    }

    private static string? Header(HttpResponseMessage response, string name) => response.Headers.TryGetValues(name, out var values) ? values.First() : null;
}

/// <summary>One request and what came of it.</summary>
internal sealed record Answer(int Number, TimeSpan SentAt, TimeSpan At, int Status, string? ServedBy, string? Upstream, string? Error)
{
    /// <summary>Neither served nor refused by a limit.</summary>
    public bool IsFailure => (HttpStatusCode)Status is not (HttpStatusCode.OK or HttpStatusCode.Created or HttpStatusCode.TooManyRequests);

    /// <summary>The failure policy refused, because no decision came in time.</summary>
    public bool IsUndecided => Status == (int)HttpStatusCode.ServiceUnavailable && Error?.Contains("rate limiter cannot decide", StringComparison.Ordinal) == true;
}
