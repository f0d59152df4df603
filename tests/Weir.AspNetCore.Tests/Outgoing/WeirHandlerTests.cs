using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Weir.TestKit;
using static Weir.AspNetCore.Tests.Outgoing.ScriptedServer;

namespace Weir.AspNetCore.Tests.Outgoing;

public sealed class WeirHandlerTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Little = TimeSpan.FromMilliseconds(5);

    private readonly ManualTimeProvider _time = new();
    private readonly WeirHandlerOptions _options = new();
    private HttpClient? _client;

    public void Dispose() => _client?.Dispose();

    [Fact]
    public async Task Send_AfterARefusal_WaitsAndSendsAgain()
    {
        var server = Use((number, _) => number == 1 ? Answer(HttpStatusCode.TooManyRequests, ("Retry-After", "20")) : Answer(HttpStatusCode.OK));
        var sending = _client!.GetAsync("http://a/x");
        await Until(() => server.Requests == 1);
        _time.Advance(TimeSpan.FromSeconds(20) - Little);
        Assert.False(sending.IsCompleted);
        using var response = await AdvanceUntil(sending);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(2, server.Requests);
    }

    [Fact]
    public async Task Send_WhenTheWaitIsTooLong_HandsTheServersRefusalOn_AndThenFailsAtOnce()
    {
        var server = Use((_, _) => Answer(HttpStatusCode.TooManyRequests, ("Retry-After", "31")));
        using (var response = await _client!.GetAsync("http://a/x"))
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
            Assert.False(response.IsNotSent());
        }
        var problem = await Assert.ThrowsAsync<OutgoingLimitException>(() => _client!.GetAsync("http://a/y"));
        Assert.Equal(HttpStatusCode.TooManyRequests, problem.StatusCode);
        Assert.Equal("http://a", problem.Partition);
        Assert.Equal(31, problem.RetryAfter!.Value.TotalSeconds, 3);
        Assert.Equal("Not sent. The limit of http://a is reached for another 31 s; a request may wait for 30 s (MaxWait).", problem.Message);
        Assert.Equal(1, server.Requests);
    }

    [Fact]
    public async Task Send_WhenToldToRespond_AnswersInTheServersPlace()
    {
        _options.WhenLimited = WhenLimited.Respond;
        _options.MaxWait = TimeSpan.Zero;
        var server = Use((_, _) => Answer(HttpStatusCode.ServiceUnavailable, ("Retry-After", "40")));
        (await _client!.GetAsync("http://a/\"x\"")).Dispose();
        using var response = await _client.GetAsync("http://a/\"x\"");
        Assert.True(response.IsNotSent());
        Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
        Assert.Equal(40, response.Headers.RetryAfter!.Delta!.Value.TotalSeconds);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        var body = await response.Content.ReadFromJsonAsync<JsonElement>();
        Assert.StartsWith("Not sent. The limit of http://a", body.GetProperty("detail").GetString());
        Assert.Equal(1, server.Requests);
    }

    [Fact]
    public async Task Send_ToAnotherOrigin_IsNotHeldUp()
    {
        Use((_, request) => request.RequestUri!.Host == "a" ? Answer(HttpStatusCode.TooManyRequests, ("Retry-After", "3600")) : Answer(HttpStatusCode.OK));
        (await _client!.GetAsync("http://a/x")).Dispose();
        foreach (var address in new[] { "http://b/x", "https://a:8/x" })
        {
            using var response = await _client.GetAsync(address);
            Assert.NotNull(response);
        }
        await Assert.ThrowsAsync<OutgoingLimitException>(() => _client.GetAsync("http://A:80/z"));
    }

    [Fact]
    public async Task Send_WithPartitionsOfItsOwn_KeepsThemApartAndLeavesOthersAlone()
    {
        _options.Partition = request => request.RequestUri!.AbsolutePath switch { "/free" => null, var path => path };
        var server = Use((_, _) => Answer(HttpStatusCode.TooManyRequests, ("Retry-After", "3600")));
        foreach (var path in new[] { "one", "two", "free", "free" })
            (await _client!.GetAsync($"http://a/{path}")).Dispose();
        Assert.Equal(4, server.Requests);
        Assert.Equal("/one", (await Assert.ThrowsAsync<OutgoingLimitException>(() => _client!.GetAsync("http://b/one"))).Partition);
    }

    [Fact]
    public async Task Send_WhenNoneRemain_WaitsBeforeTheServerHasToRefuse()
    {
        var server = Use((number, _) => Answer(HttpStatusCode.OK, ("RateLimit", number == 1 ? "\"a\";r=0;t=10" : "\"a\";r=9;t=10"), ("RateLimit-Policy", "\"a\";q=10;w=10")));
        (await _client!.GetAsync("http://a/x")).Dispose();
        var sending = _client.GetAsync("http://a/x");
        _time.Advance(TimeSpan.FromSeconds(9));
        Assert.False(sending.IsCompleted);
        Assert.Equal(1, server.Requests);
        (await AdvanceUntil(sending)).Dispose();
        Assert.Equal(2, server.Requests);
    }

    [Fact]
    public async Task Send_WhenOnlyRefusalsCount_DoesNotCareWhatRemains()
    {
        _options.HonorRemaining = false;
        var server = Use((_, _) => Answer(HttpStatusCode.OK, ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "3600")));
        for (var i = 0; i < 3; i++)
            (await _client!.GetAsync("http://a/x")).Dispose();
        Assert.Equal(3, server.Requests);
    }

    [Fact]
    public async Task Send_AgainAfterRefusals_EndsAfterMaxResends()
    {
        var server = Use((_, _) => Answer(HttpStatusCode.TooManyRequests, ("Retry-After", "1")));
        using var response = await AdvanceUntil(_client!.PostAsync("http://a/x", new StringContent("body")));
        Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
        Assert.Equal(Enumerable.Repeat("POST http://a/x body", 4), server.Seen);
    }

    [Fact]
    public async Task Send_AgainAfterRefusals_EndsWhenItsWaitsTogetherAreTooLong()
    {
        _options.MaxWait = TimeSpan.FromSeconds(25);
        var server = Use((_, _) => Answer(HttpStatusCode.TooManyRequests, ("Retry-After", "10")));
        using var response = await AdvanceUntil(_client!.GetAsync("http://a/x"));
        Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
        Assert.Equal(3, server.Requests);
    }

    [Theory]
    [InlineData("POST", 503, 1)]
    [InlineData("PATCH", 503, 1)]
    [InlineData("PUT", 503, 2)]
    [InlineData("DELETE", 503, 2)]
    [InlineData("POST", 429, 2)]
    public async Task Send_AfterARefusal_RepeatsOnlyWhatMayBeRepeated(string method, int status, int expected)
    {
        var server = Use((number, _) => number == 1 ? Answer((HttpStatusCode)status, ("Retry-After", "1")) : Answer(HttpStatusCode.OK));
        using var request = new HttpRequestMessage(new HttpMethod(method), "http://a/x") { Content = JsonContent.Create(1) };
        (await AdvanceUntil(_client!.SendAsync(request))).Dispose();
        Assert.Equal(expected, server.Requests);
    }

    [Fact]
    public async Task Send_OfAStream_IsNotRepeated()
    {
        var server = Use((_, _) => Answer(HttpStatusCode.TooManyRequests, ("Retry-After", "1")));
        using var stream = new MemoryStream([1, 2, 3]);
        using var response = await _client!.PostAsync("http://a/x", new StreamContent(stream));
        Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
        Assert.Equal(1, server.Requests);
    }

    [Fact]
    public async Task Send_AfterA503ThatSaysNothing_IsNotHeldUp()
    {
        var server = Use((_, _) => Answer(HttpStatusCode.ServiceUnavailable));
        for (var i = 0; i < 3; i++)
            (await _client!.GetAsync("http://a/x")).Dispose();
        Assert.Equal(3, server.Requests);
    }

    [Fact]
    public async Task Send_WhenRedirectedToAServerThatRefuses_WaitsForThatOne()
    {
        var server = Use((number, request) =>
        {
            if (number > 1)
                return Answer(HttpStatusCode.OK);
            // As the redirect handler does it.
            request.RequestUri = new Uri("http://b/y");
            return Answer(HttpStatusCode.TooManyRequests, ("Retry-After", "5"));
        });
        using var response = await AdvanceUntil(_client!.GetAsync("http://a/x"));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(["GET http://a/x", "GET http://b/y"], server.Seen);
    }

    [Fact]
    public async Task Send_WhenTheServerCannotBeReached_LeavesNothingBehind()
    {
        Use((_, _) => throw new HttpRequestException("no route"));
        for (var i = 0; i < 5; i++)
            Assert.Equal("no route", (await Assert.ThrowsAsync<HttpRequestException>(() => _client!.GetAsync("http://a/x"))).Message);
    }

    [Fact]
    public async Task Send_WhenCancelledWhileItWaits_IsNotSent()
    {
        var server = Use((_, _) => Answer(HttpStatusCode.OK, ("RateLimit", "\"a\";r=0;t=10")));
        (await _client!.GetAsync("http://a/x")).Dispose();
        using var cancellation = new CancellationTokenSource();
        var sending = _client.GetAsync("http://a/x", cancellation.Token);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending.WaitAsync(Patience));
        Assert.Equal(1, server.Requests);
    }

    [Fact]
    public void Send_WithoutAwaiting_KeepsToTheLimitToo()
    {
        var server = Use((_, _) => Answer(HttpStatusCode.TooManyRequests, ("Retry-After", "3600")));
        using (var request = new HttpRequestMessage(HttpMethod.Get, "http://a/x"))
            _client!.Send(request).Dispose();
        using var second = new HttpRequestMessage(HttpMethod.Get, "http://a/x");
        Assert.Throws<OutgoingLimitException>(() => _client!.Send(second));
        Assert.Equal(1, server.Requests);
    }

    [Fact]
    public async Task Send_OfManyAtOnce_NeverExceedsWhatTheServerHas()
    {
        // 20 in every 10 s, and not one request too many: all that are refused fail the test.
        var window = _time.GetUtcNow();
        var used = 0;
        var refused = 0;
        var gate = new Lock();
        Use((_, _) =>
        {
            lock (gate)
            {
                var now = _time.GetUtcNow();
                if (now - window >= TimeSpan.FromSeconds(10))
                    (window, used) = (now, 0);
                used++;
                var reset = Math.Ceiling((window + TimeSpan.FromSeconds(10) - now).TotalSeconds);
                if (used > 20)
                    refused++;
                return Answer(used > 20 ? HttpStatusCode.TooManyRequests : HttpStatusCode.OK, ("RateLimit", $"\"a\";r={Math.Max(0, 20 - used)};t={reset}"));
            }
        });
        _options.MaxWait = TimeSpan.FromHours(1);
        Renew();
        (await _client!.GetAsync("http://a/first")).Dispose();
        var sending = Enumerable.Range(0, 99).Select(_ => _client.GetAsync("http://a/x")).ToList();
        foreach (var response in await AdvanceUntil(Task.WhenAll(sending)))
        {
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            response.Dispose();
        }
        Assert.Equal(0, refused);
    }

    [Theory]
    [InlineData("MaxWait")]
    [InlineData("MaxResends")]
    [InlineData("MaxPartitions")]
    [InlineData("MaxWaiting")]
    [InlineData("MaxClosed")]
    [InlineData("WhenLimited")]
    [InlineData("LimitKey")]
    public void Options_OutOfRange_AreNamedWithTheCure(string name)
    {
        var options = new WeirHandlerOptions();
        switch (name)
        {
            case "MaxWait": options.MaxWait = TimeSpan.FromHours(2); break;
            case "MaxResends": options.MaxResends = -1; break;
            case "MaxPartitions": options.MaxPartitions = 0; break;
            case "MaxWaiting": options.MaxWaiting = -1; break;
            case "MaxClosed": options.MaxClosed = TimeSpan.Zero; break;
            case "WhenLimited": options.WhenLimited = (WhenLimited)7; break;
            default: options.LimitKey = _ => "x"; break;
        }
        Assert.Contains($"WeirHandlerOptions.{name}: ", Assert.Throws<ArgumentException>(() => new WeirHandler(options)).Message);
    }

    private ScriptedServer Use(Func<int, HttpRequestMessage, HttpResponseMessage> answer)
    {
        _server = new ScriptedServer(answer);
        Renew();
        return _server;
    }

    private ScriptedServer? _server;

    private void Renew() => _client = new HttpClient(new WeirHandler(_options, null, _time) { InnerHandler = _server! }) { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>Lets time pass, in steps that leave others time to act, until something has happened.</summary>
    private async Task<T> AdvanceUntil<T>(Task<T> task)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!task.IsCompleted)
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Delay(2);
            _time.Advance(TimeSpan.FromMilliseconds(250));
        }
        return await task;
    }

    private static async Task Until(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (!condition())
            await Task.Delay(2, patience.Token);
    }
}
