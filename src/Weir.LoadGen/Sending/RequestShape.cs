using System.Net.Http;
using System.Text;

namespace Weir.LoadGen.Sending;

/// <summary>What a request looks like: method, path, headers and body, with places for key and number. Immutable.</summary>
internal sealed class RequestShape
{
    private static readonly HashSet<string> OfContent = new(StringComparer.OrdinalIgnoreCase)
    {
        "Content-Type", "Content-Encoding", "Content-Language", "Content-Disposition", "Content-MD5", "Allow", "Expires", "Last-Modified",
    };

    private readonly (string Name, Template Value)[] _headers;
    private readonly Template? _body;
    private readonly byte[]? _fixedBody;

    /// <summary>A request's shape.</summary>
    /// <param name="method">Such as GET.</param>
    /// <param name="path">Begins with a slash.</param>
    /// <param name="headers">Names and values, in order.</param>
    /// <param name="body">Null sends none.</param>
    public RequestShape(HttpMethod method, Template path, IEnumerable<(string Name, Template Value)> headers, Template? body)
    {
        (Method, Path, _body) = (method, path, body);
        _headers = [.. headers];
        _fixedBody = body is { IsFixed: true } ? Encoding.UTF8.GetBytes(body.Text) : null;
    }

    /// <summary>The method.</summary>
    public HttpMethod Method { get; }

    /// <summary>Path and query.</summary>
    public Template Path { get; }

    /// <summary>Whether a message can be sent again and again with only its address changed.</summary>
    public bool IsReusable => (_body is null or { IsFixed: true }) && _headers.All(static h => h.Value.IsFixed);

    /// <summary>Whether anything in a request names its key; otherwise all requests count under one.</summary>
    public bool NamesKey => Path.HasKey || _body is { HasKey: true } || _headers.Any(static h => h.Value.HasKey);

    /// <summary>A message without an address.</summary>
    public CountedRequest Create(string key, long sequence)
    {
        var request = new CountedRequest { Method = Method };
        request.Headers.TryAddWithoutValidation(CountedRequest.CountedHeader, "weir-load");
        if (_body is not null)
            request.Content = new ByteArrayContent(_fixedBody ?? Encoding.UTF8.GetBytes(_body.Fill(key, sequence)));
        foreach (var (name, value) in _headers)
            Add(request, name, value.Fill(key, sequence));
        return request;
    }

    private static void Add(CountedRequest request, string name, string value)
    {
        if (OfContent.Contains(name))
        {
            request.Content ??= new ByteArrayContent([]);
            request.Content.Headers.TryAddWithoutValidation(name, value);
        }
        else
        {
            if (name.Equals(CountedRequest.CountedHeader, StringComparison.OrdinalIgnoreCase))
                request.Headers.Remove(name);
            request.Headers.TryAddWithoutValidation(name, value);
        }
    }
}

/// <summary>
/// A request that knows how often it was sent. The HTTP stack sends a request a second time by itself when a kept connection turns out to be closed, even
/// though the server may have read, and decided, the first; it asks for the encoding of each header before it writes it, which is where we notice.
/// </summary>
internal sealed class CountedRequest : HttpRequestMessage
{
    /// <summary>The header that every request has exactly once.</summary>
    public const string CountedHeader = "User-Agent";

    /// <summary>How often it was written to a connection since it was last set to 0.</summary>
    public int Sent { get; set; }
}
