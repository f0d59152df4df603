using System.Net;

namespace Weir.AspNetCore;

/// <summary>A request was not sent, because it would have had to wait for longer than <see cref="WeirHandlerOptions.MaxWait"/>.</summary>
/// <remarks><see cref="HttpRequestException.StatusCode"/> is 429. Nothing has reached the server, unless it had refused the request before.</remarks>
public sealed class OutgoingLimitException : HttpRequestException
{
    internal OutgoingLimitException(string message, string partition, TimeSpan? retryAfter)
        : base(HttpRequestError.Unknown, message, inner: null, HttpStatusCode.TooManyRequests)
    {
        Partition = partition;
        RetryAfter = retryAfter;
    }

    /// <summary>What shares the limit: an origin such as <c>https://api.example.com</c>, or what <see cref="WeirHandlerOptions.Partition"/> said.</summary>
    public string Partition { get; }

    /// <summary>When it is worth trying again, as far as is known, from when this was thrown. Null when trying again will not help.</summary>
    public TimeSpan? RetryAfter { get; }
}
