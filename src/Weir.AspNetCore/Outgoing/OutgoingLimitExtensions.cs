using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Weir.AspNetCore;

/// <summary>Tells answers that a <see cref="WeirHandler"/> gave from those of servers.</summary>
public static class OutgoingLimitExtensions
{
    /// <summary>True for a 429 that a <see cref="WeirHandler"/> gave in the server's place, see <see cref="WhenLimited.Respond"/>.</summary>
    public static bool IsNotSent(this HttpResponseMessage response)
    {
        ArgumentNullException.ThrowIfNull(response);
        return response.Content is NotSentContent;
    }

    internal static HttpResponseMessage NotSent(HttpRequestMessage request, string message, TimeSpan? retryAfter)
    {
        var response = new HttpResponseMessage(HttpStatusCode.TooManyRequests) { RequestMessage = request, Content = new NotSentContent(message) };
        if (retryAfter is { } time)
            response.Headers.RetryAfter = new RetryConditionHeaderValue(TimeSpan.FromSeconds(Math.Ceiling(time.TotalSeconds)));
        return response;
    }

    private sealed class NotSentContent : StringContent
    {
        public NotSentContent(string message)
            : base(string.Create(CultureInfo.InvariantCulture, $"{{\"title\":\"Not sent\",\"status\":429,\"detail\":\"{JsonEncodedText.Encode(message)}\"}}"),
                Encoding.UTF8, "application/problem+json")
        {
        }
    }
}
