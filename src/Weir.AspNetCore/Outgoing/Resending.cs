using System.Net;
using System.Net.Http.Json;

namespace Weir.AspNetCore.Outgoing;

/// <summary>Says whether a refused request may be sent again.</summary>
internal static class Resending
{
    /// <summary>A 429 says that the request was not processed. A 503 promises less, so that only what may be repeated is repeated.</summary>
    public static bool IsPossible(HttpRequestMessage request, HttpStatusCode status) =>
        (status == HttpStatusCode.TooManyRequests || IsRepeatable(request.Method)) && IsReadableAgain(request.Content);

    private static bool IsRepeatable(HttpMethod method) =>
        method == HttpMethod.Get || method == HttpMethod.Head || method == HttpMethod.Options || method == HttpMethod.Trace
        || method == HttpMethod.Put || method == HttpMethod.Delete;

    // ByteArrayContent is also the base of strings and forms. Streams are gone once they were sent.
    private static bool IsReadableAgain(HttpContent? content) => content switch
    {
        null or ByteArrayContent or ReadOnlyMemoryContent or JsonContent => true,
        MultipartContent parts => parts.All(IsReadableAgain),
        _ => false,
    };
}
