using System.Net;
using System.Net.Http;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Weir.LoadGen.Keys;

namespace Weir.LoadGen.Sending;

/// <summary>Connections to one target, and its addresses. Safe for many threads.</summary>
internal sealed class TargetClient : IDisposable
{
    // Beyond this many keys an address is made for every request, so that memory stays bounded.
    private const int KeptAddresses = 100_000;

    private static readonly UriCreationOptions AsWritten = new() { DangerousDisablePathAndQueryCanonicalization = true };
    private static readonly TimeSpan ConnectionLifetime = TimeSpan.FromMinutes(1);

    private readonly HttpMessageInvoker _invoker;
    private readonly RequestShape _shape;
    private readonly KeySource _keys;
    private readonly string _base;
    private readonly Uri?[]? _addresses;

    /// <summary>Connects when the first request is sent.</summary>
    public TargetClient(Target target, SendOptions options)
    {
        (_shape, _keys, _base) = (options.Shape, options.Keys, target.Base);
        var path = options.Shape.Path;
        if (!path.HasSequence && (!path.HasKey || options.Keys.Count <= KeptAddresses))
            _addresses = new Uri?[path.HasKey ? options.Keys.Count : 1];
        _invoker = new HttpMessageInvoker(Handler(target, options));
    }

    /// <summary>Sends a message and returns when status and headers are there.</summary>
    public Task<HttpResponseMessage> SendAsync(CountedRequest request, CancellationToken cancellation) => _invoker.SendAsync(request, cancellation);

    /// <summary>The address of a request.</summary>
    public Uri AddressOf(int key, long sequence)
    {
        if (_addresses is null)
            return Make(key, sequence);
        ref var kept = ref _addresses[_addresses.Length == 1 ? 0 : key];
        return kept ??= Make(key, sequence);
    }

    /// <inheritdoc />
    public void Dispose() => _invoker.Dispose();

    // The path goes out as it was written: a key of ".." must not fold the path away.
    private Uri Make(int key, long sequence) => new(_base + _shape.Path.Fill(Uri.EscapeDataString(_keys.Name(key)), sequence), in AsWritten);

    private static SocketsHttpHandler Handler(Target target, SendOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            MaxConnectionsPerServer = options.MaxInFlight,
            // A minute, so that a balancer's changes behind a name are seen.
            PooledConnectionLifetime = ConnectionLifetime,
            ConnectTimeout = options.Timeout,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            RequestHeaderEncodingSelector = options.Resend ? CountSend : RefuseSecondSend,
        };
        if (options.Insecure)
        {
#pragma warning disable CA5359 // --insecure asks for it: servers under test have certificates that nobody signed.
            handler.SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, _, _, _) => true };
#pragma warning restore CA5359
        }
        if (target.Address is { } address)
            handler.ConnectCallback = (context, cancellation) => ConnectAsync(address, context.DnsEndPoint.Port, cancellation);
        return handler;
    }

    // Keys need not be ASCII, and may stand in headers.
    private static Encoding? CountSend(string header, HttpRequestMessage request)
    {
        if (header != CountedRequest.CountedHeader)
            return Encoding.UTF8;
        ((CountedRequest)request).Sent++;
        return null;
    }

    private static Encoding? RefuseSecondSend(string header, HttpRequestMessage request)
    {
        var encoding = CountSend(header, request);
        return ((CountedRequest)request).Sent > 1 ? throw new SecondSendException() : encoding;
    }

    private static async ValueTask<Stream> ConnectAsync(IPAddress address, int port, CancellationToken cancellation)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(new IPEndPoint(address, port), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}

/// <summary>How requests are sent.</summary>
/// <param name="Shape">What they look like.</param>
/// <param name="Keys">What they name.</param>
/// <param name="Statuses">What answers mean.</param>
/// <param name="MaxInFlight">Requests that may wait for an answer at the same time, and connections per target.</param>
/// <param name="Timeout">How long an answer may take.</param>
/// <param name="Resend">Whether a request that met a closed connection is sent once more.</param>
/// <param name="Insecure">Whether certificates are not looked at.</param>
internal sealed record SendOptions(RequestShape Shape, KeySource Keys, AnswerStatuses Statuses, int MaxInFlight, TimeSpan Timeout, bool Resend, bool Insecure);
