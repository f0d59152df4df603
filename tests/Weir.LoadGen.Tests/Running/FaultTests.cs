using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Weir.LoadGen.Running;
using Weir.TestKit.Redis;

namespace Weir.LoadGen.Tests.Running;

/// <summary>Servers that stall, die, break off, or are not there; and users who have seen enough.</summary>
[Collection(RealTimeCollection.Name)]
public sealed class FaultTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Run_OnAServerThatStalls_ShowsTheStallInResponseTimesAndNotInServiceTimes()
    {
        // One connection, 100 a second, and a second in which nothing is answered. Only one request is sent during it, so the service
        // time knows of one slow answer; but a hundred users came meanwhile.
        var began = 0L;
        await using var server = await WebServer.StartAsync(async _ =>
        {
            if (Interlocked.CompareExchange(ref began, TimeProvider.System.GetTimestamp(), 0) is var first && first != 0
                && TimeProvider.System.GetElapsedTime(first).TotalSeconds is >= 1 and < 2)
                await Task.Delay(1_000);
        });
        using var load = await Load.RunAsync($"--targets {server.Url} --rps 100 --duration 3 --max-in-flight 1 --when-full wait");

        Assert.Equal(300, load.Number("requests.sent"));
        Assert.True(load.Number("latency_ms.response.p90") > 500, load.Output);
        // On a busy machine single answers are slow too, but whoever waits for all before him waits much longer.
        Assert.True(load.Number("latency_ms.service.p90") < load.Number("latency_ms.response.p90") / 2, load.Output);
        Assert.True(load.Number("latency_ms.service.max") > 900, load.Output);
    }

    [Fact]
    public async Task Run_OnAServerThatStalls_SkipsWhatHasNoPlace()
    {
        await using var server = await WebServer.StartAsync(static _ => Task.Delay(1_000));
        using var load = await Load.RunAsync($"--targets {server.Url} --rps 100 --duration 1 --max-in-flight 5");

        Assert.Equal(100, load.Number("requests.sent") + load.Number("requests.skipped"));
        Assert.InRange(load.Number("requests.sent"), 5, 10);
        Assert.Contains("requests could not leave within 250 ms of their time and were skipped", load.Output);
    }

    [Fact]
    public async Task Run_WhenTheServerDiesMidway_EndsAndCountsTheRestAsFailures()
    {
        await using var server = await WebServer.StartAsync();
        using var load = new Load();
        var running = load.StartAsync($"--targets {server.Url} --rps 100 --duration 3 --max-failure-rate 5% --when-full wait");
        await Eventually.IsTrueAsync(() => server.Requests >= 50, "half a second has passed");
        await server.KillAsync();
        await running.WaitAsync(Soon);

        Assert.Equal(LoadProgram.Missed, load.ExitCode);
        Assert.Equal(300, load.Number("requests.sent") + load.Number("requests.skipped"));
        Assert.True(load.Number("requests.allowed") >= 50);
        Assert.True(load.Failures("connection refused") > 0, load.Output);
        Assert.Equal(load.Number("requests.failed"), load.Failures("connection refused") + load.Failures("closed without an answer") + load.Failures("status 503"));
    }

    [Fact]
    public async Task Run_WhereNobodyListens_SaysSoBeforeAnythingIsSent()
    {
        using var load = await Load.RunAsync($"--targets http://127.0.0.1:{UnusedPort()}");

        Assert.Equal((LoadProgram.NotStarted, ""), (load.ExitCode, load.Output));
        Assert.Matches("^weir load: http://127.0.0.1:[0-9]+ cannot be reached: Connection refused. Start the server, correct --targets, or give --no-preflight to send all the same.\n$", load.Errors);
    }

    [Fact]
    public async Task Run_OfANameThatIsUnknown_SaysSo()
    {
        using var load = await Load.RunAsync("--targets http://weir.invalid:8000 --timeout 5");

        Assert.Equal(LoadProgram.NotStarted, load.ExitCode);
        Assert.StartsWith("weir load: http://weir.invalid:8000 cannot be reached: ", load.Errors);
    }

    [Fact]
    public async Task Run_WhereNobodyListens_AndToldToGoOn_CountsRefusals()
    {
        using var load = await Load.RunAsync($"--targets http://127.0.0.1:{UnusedPort()} --no-preflight --rps 50 --duration 1");

        Assert.Equal(LoadProgram.Missed, load.ExitCode);
        Assert.Equal(load.Number("requests.sent"), load.Failures("connection refused"));
        Assert.Contains("No request was answered", load.Output);
    }

    [Fact]
    public async Task Run_OnAServerThatIsTooSlow_CountsTimeouts_AndTheirWaits()
    {
        await using var server = await WebServer.StartAsync(static context => Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted).ContinueWith(static _ => { }, TaskScheduler.Default));
        using var load = await Load.RunAsync($"--targets {server.Url} --rps 20 --duration 1 --timeout 300ms --when-full wait");

        Assert.Equal(20, load.Failures("no answer in time"));
        // Who waited in vain waited all the same.
        Assert.Equal(20, load.Number("latency_ms.response.count"));
        Assert.True(load.Number("latency_ms.response.p50") >= 300);
    }

    [Fact]
    public async Task Run_OnAnswersThatBreakOff_CountsThem_AndTheProofKnowsTheyWereAllowed()
    {
        using var server = new RawServer(static async (socket, _) =>
        {
            await RawServer.SendAsync(socket, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
            return false;
        });
        using var load = await Load.RunAsync($"--targets {server.Url} --rps 20 --duration 1 --keys fixed:a --expect 5/1m");

        Assert.Equal(load.Number("requests.sent"), load.Failures("answer broke off"));
        Assert.Equal(load.Number("requests.sent"), load.Number("proof.admitted"));
        Assert.Contains("PROMISE BROKEN", load.Output);
    }

    [Fact]
    public async Task Run_OnSomethingThatIsNotHttp_SaysSo()
    {
        using var server = new RawServer(static async (socket, _) =>
        {
            await RawServer.SendAsync(socket, "220 mail.example.org ESMTP\r\n");
            return false;
        });
        using var load = await Load.RunAsync($"--targets {server.Url} --rps 20 --duration 0.5 --when-full wait");

        Assert.Equal(10, load.Failures("not HTTP"));
    }

    [Fact]
    public async Task Run_WhenAServerReadsARequestAndCloses_SendsItOnce()
    {
        // Every second request of a connection is read and never answered. The HTTP stack would send it again by itself.
        using var server = new RawServer(AnswerEverySecond);
        using var load = await Load.RunAsync($"--targets {server.Url} --rps 20 --duration 1 --max-in-flight 1 --when-full wait --expect 100/1m");

        Assert.Equal(20, server.Requests);
        Assert.Equal((10, 10), (load.Number("requests.allowed"), load.Failures("closed without an answer")));
        Assert.Equal(10, load.Number("proof.unknown"));
    }

    [Fact]
    public async Task Run_WhenAServerReadsARequestAndDies_DoesNotTakeThatForARefusedConnection()
    {
        RawServer? server = null;
        using var dying = server = new RawServer(async (socket, number) =>
        {
            if (number == 3)
                server!.Dispose();
            else
                await RawServer.SendAsync(socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            return number < 3;
        });
        using var load = await Load.RunAsync($"--targets {server.Url} --rps 20 --duration 1 --max-in-flight 1 --when-full wait --expect 100/1m");

        Assert.Equal((3, 1), (load.Number("requests.allowed"), load.Failures("closed without an answer")));
        Assert.Equal(16, load.Failures("connection refused"));
        Assert.Equal(1, load.Number("proof.unknown"));
    }

    [Fact]
    public async Task Run_WhenAServerReadsARequestAndCloses_AndToldToResend_CountsThat()
    {
        using var server = new RawServer(AnswerEverySecond);
        using var load = await Load.RunAsync($"--targets {server.Url} --rps 20 --duration 1 --max-in-flight 1 --when-full wait --resend");

        Assert.Equal((20, 0), (load.Number("requests.allowed"), load.Number("requests.failed")));
        Assert.Equal(19, load.Number("requests.sent_twice"));
        Assert.Equal(20 + 19, server.Requests);
    }

    [Fact]
    public async Task Interrupt_Once_AwaitsWhatIsInFlightAndSumsUp()
    {
        using var gate = new SemaphoreSlim(0);
        await using var server = await WebServer.StartAsync(_ => gate.WaitAsync());
        using var load = new Load();
        var running = load.StartAsync($"--targets {server.Url} --rps 50 --duration 0 --max-in-flight 3");
        await Eventually.IsTrueAsync(() => server.Requests == 3, "all places are taken");

        load.Interrupts.Signal();
        await Eventually.IsTrueAsync(() => load.Output.Contains("are awaited"), "it says that it waits");
        Assert.False(running.IsCompleted);
        gate.Release(10);
        await running.WaitAsync(Soon);

        Assert.Equal((LoadProgram.Success, 3), (load.ExitCode, server.Requests));
        Assert.Equal(3, load.Number("requests.allowed"));
        Assert.True(load.Report.GetProperty("stopped").GetBoolean());
        Assert.Contains("stopped after", load.Output);
    }

    [Fact]
    public async Task Interrupt_Twice_EndsAtOnce()
    {
        await using var server = await WebServer.StartAsync(static context => Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted).ContinueWith(static _ => { }, TaskScheduler.Default));
        using var load = new Load();
        var running = load.StartAsync($"--targets {server.Url} --rps 50 --duration 0 --timeout 1h");
        await Eventually.IsTrueAsync(() => server.Requests > 0, "something is under way");

        load.Interrupts.Signal();
        load.Interrupts.Signal();
        await running.WaitAsync(Soon);

        Assert.Equal(LoadProgram.Aborted, load.ExitCode);
        Assert.DoesNotContain("stopped after", load.Output);
    }

    [Fact]
    public async Task Run_ForEveryAddress_ConnectsToEachAndKeepsTheName()
    {
        var hosts = new List<string>();
        await using var server = await WebServer.StartAsync(context =>
        {
            lock (hosts)
                hosts.Add(context.Request.Host.Value ?? "");
            return Task.CompletedTask;
        });
        var port = new Uri(server.Url).Port;
        // The name has one address or two; the server listens on the first of them alone.
        using var load = await Load.RunAsync($"--targets http://localhost:{port} --each-address --no-preflight --rps 20 --duration 0.5");

        Assert.Contains(load.Report.GetProperty("targets").EnumerateArray(), t => t.GetProperty("target").GetString() == $"http://localhost:{port} (127.0.0.1)");
        Assert.All(hosts, h => Assert.Equal($"localhost:{port}", h));
        Assert.NotEmpty(hosts);
    }

    private static async Task<bool> AnswerEverySecond(Socket socket, int number)
    {
        if (number % 2 == 1)
            return false;
        await RawServer.SendAsync(socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        return true;
    }

    private static int UnusedPort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
