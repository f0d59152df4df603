using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using Weir.LoadGen.Keys;
using Weir.LoadGen.Measuring;
using Weir.LoadGen.Proof;
using Weir.LoadGen.Scheduling;
using Weir.LoadGen.Sending;

namespace Weir.LoadGen.Tests.Running;

/// <summary>What a request costs beyond what the HTTP stack takes.</summary>
[Collection(RealTimeCollection.Name)]
public sealed class AllocationTests
{
    private const int Requests = 4_000;

    [Fact]
    public async Task ARequest_AllocatesNoMoreThanTheHttpStackDoes()
    {
        using var server = new FrugalServer();

        // The least of several, because the first compiles and fills pools, and other threads allocate when they like.
        var (plain, ours) = (double.MaxValue, double.MaxValue);
        for (var run = 0; run < 5; run++)
        {
            plain = Math.Min(plain, await PlainAsync(server.Url));
            ours = Math.Min(ours, await OursAsync(server.Url));
        }

        // What the proof remembers of a request is 32 bytes. How often a wait is over before it began differs from run to run, and with it some bytes of the stack.
        Assert.InRange(ours, 0, plain + 32 + 128);
    }

    // The leanest way to send with the same stack: the message kept, a timeout possible, the answer drained.
    private static async Task<double> PlainAsync(string url)
    {
        using var handler = new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false, ActivityHeadersPropagator = null };
        using var invoker = new HttpMessageInvoker(handler);
        using var message = new HttpRequestMessage(HttpMethod.Get, url + "/rate-limit/alice");
        message.Headers.TryAddWithoutValidation("User-Agent", "weir-load");
        using var patience = new CancellationTokenSource();
        var buffer = new byte[1_024];
        var before = 0L;
        for (var i = -10; i < Requests; i++)
        {
            if (i == 0)
                before = GC.GetTotalAllocatedBytes(precise: true);
            using var answer = await invoker.SendAsync(message, patience.Token);
            var body = answer.Content.ReadAsStream();
            while (await body.ReadAsync(buffer, patience.Token) > 0)
            {
                // Drained.
            }
        }
        return (GC.GetTotalAllocatedBytes(precise: true) - before) / (double)Requests;
    }

    private static async Task<double> OursAsync(string url)
    {
        var shape = new RequestShape(HttpMethod.Get, Template.Parse("/rate-limit/{key}"), [], null);
        var options = new SendOptions(shape, KeySource.Numbered(10, "key-", null, 1, fresh: true), new AnswerStatuses([200], [429]), 1, TimeSpan.FromSeconds(10), Resend: false, Insecure: false);
        var clock = new RunClock(TimeProvider.System);
        var stats = new RunStats(1);
        using var depot = new Depot([new Target(new Uri(url), null)], options, clock, stats, new ProofLog(10));
        var before = 0L;
        for (var i = -100; i < Requests; i++)
        {
            if (i == 0)
                before = GC.GetTotalAllocatedBytes(precise: true);
            while (!depot.TrySend(new Departure(i + 100, clock.Nanos, LoadGen.Profiles.Phase.Steady)))
                await Task.Yield();
        }
        await depot.CloseAsync();
        Assert.Equal(Requests + 100, stats.Outcomes.Allowed);
        return (GC.GetTotalAllocatedBytes(precise: true) - before) / (double)Requests;
    }

    /// <summary>Answers one connection after the other, on a thread that waits by blocking, so that nothing is allocated for a request.</summary>
    private sealed class FrugalServer : IDisposable
    {
        private static readonly byte[] Answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"u8.ToArray();
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

        public FrugalServer()
        {
            _listener.Start();
            new Thread(Serve) { IsBackground = true }.Start();
        }

        public string Url => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

        public void Dispose() => _listener.Dispose();

        private void Serve()
        {
            var buffer = new byte[4 * 1024];
            try
            {
                while (true)
                {
                    using var socket = _listener.AcceptSocket();
                    while (socket.Receive(buffer) > 0)
                        socket.Send(Answer);
                }
            }
            catch (Exception e) when (e is SocketException or InvalidOperationException)
            {
                // The test is over, while it waited for a connection or before it could wait for the next.
            }
        }
    }
}
