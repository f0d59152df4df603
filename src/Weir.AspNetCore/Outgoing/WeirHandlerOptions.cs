namespace Weir.AspNetCore;

/// <summary>How a <see cref="WeirHandler"/> keeps to the limits of the servers that a <see cref="HttpClient"/> talks to.</summary>
/// <remarks>Read once, when the handler is made.</remarks>
public sealed class WeirHandlerOptions
{
    /// <summary>Longest time that one request may wait before it is sent, all its waits together.</summary>
    /// <value>0 (never wait) to 1 hour. Default 30 seconds.</value>
    /// <remarks>
    /// If it is known that the wait would be longer, <see cref="WhenLimited"/> happens at once. <see cref="HttpClient.Timeout"/> (100 s by default) includes the
    /// wait.
    /// </remarks>
    public TimeSpan MaxWait { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>What happens to a request that would have to wait for too long.</summary>
    /// <value>Default <see cref="WhenLimited.Throw"/>.</value>
    /// <remarks>A refusal by the server itself that cannot be waited for is handed on as it came.</remarks>
    public WhenLimited WhenLimited { get; set; }

    /// <summary>How often a request that the server refused with 429, or with 503 and <c>Retry-After</c>, is sent again after the wait.</summary>
    /// <value>0 to 100. Default 3.</value>
    /// <remarks>
    /// Only requests whose content can be sent again: none, a string, bytes, a form, JSON, or parts of these. After 503 only methods that may be repeated: GET, HEAD, OPTIONS,
    /// TRACE, PUT and DELETE.
    /// </remarks>
    public int MaxResends { get; set; } = 3;

    /// <summary>Hold requests back when an answer says that none remain (<c>RateLimit: "x";r=0;t=9</c>, <c>X-RateLimit-Remaining: 0</c>).</summary>
    /// <value>Default true. False: only refusals count.</value>
    /// <remarks>Set it to false for servers that say when <em>everything</em> has come back while single permits come back earlier, as token buckets do.</remarks>
    public bool HonorRemaining { get; set; } = true;

    /// <summary>Says which requests share a limit of the server. Null for a request leaves it alone.</summary>
    /// <value>Default none: each origin (scheme, host and port) is one partition.</value>
    /// <remarks>Called again after an answer, because redirects change the request's address. Names are compared as they are.</remarks>
    public Func<HttpRequestMessage, string?>? Partition { get; set; }

    /// <summary>Most partitions that are remembered.</summary>
    /// <value>1 to 1,000,000. Default 1,024.</value>
    /// <remarks>
    /// Beyond it, partitions that are neither in use nor closed make room, then those that would have opened soonest. If all are in use, requests of further
    /// ones are sent as if there were no handler.
    /// </remarks>
    public int MaxPartitions { get; set; } = 1024;

    /// <summary>Most requests that wait at once, for each partition.</summary>
    /// <value>0 to 1,000,000. Default 1,000. <see cref="WhenLimited"/> happens to further ones at once.</value>
    public int MaxWaiting { get; set; } = 1000;

    /// <summary>Longest time for which an answer is believed, so that a server's mistake ends some day.</summary>
    /// <value>1 second to 366 days. Default 1 day.</value>
    public TimeSpan MaxClosed { get; set; } = TimeSpan.FromDays(1);

    /// <summary>A limit of our own: every request takes one permit of it before it is sent.</summary>
    /// <value>Default none.</value>
    /// <remarks>
    /// With it, many processes keep to one limit of a server together, before the server has to refuse. If there is no permit the request waits, as above. A permit of
    /// <see cref="AlgorithmKind.Concurrency"/> is given back when the answer's header has come; the request must not take longer than the limit's window.
    /// </remarks>
    public Limit? Limit { get; set; }

    /// <summary>Says on whose account <see cref="Limit"/> is charged. Null for a request charges nothing.</summary>
    /// <value>Default none: the partition.</value>
    public Func<HttpRequestMessage, string?>? LimitKey { get; set; }

    /// <summary>Everything that is wrong, each with the name, the value and the cure.</summary>
    internal List<string> Problems()
    {
        var problems = new List<string>();
        Check(MaxWait >= TimeSpan.Zero && MaxWait <= TimeSpan.FromHours(1), nameof(MaxWait), MaxWait, "from 0 to 1 hour");
        Check(Enum.IsDefined(WhenLimited), nameof(WhenLimited), WhenLimited, "Throw or Respond");
        Check(MaxResends is >= 0 and <= 100, nameof(MaxResends), MaxResends, "from 0 to 100");
        Check(MaxPartitions is >= 1 and <= 1_000_000, nameof(MaxPartitions), MaxPartitions, "from 1 to 1,000,000");
        Check(MaxWaiting is >= 0 and <= 1_000_000, nameof(MaxWaiting), MaxWaiting, "from 0 to 1,000,000");
        Check(MaxClosed >= TimeSpan.FromSeconds(1) && MaxClosed <= TimeSpan.FromDays(366), nameof(MaxClosed), MaxClosed, "from 1 second to 366 days");
        Check(LimitKey is null || Limit is not null, nameof(LimitKey), "a function", "left out, or used together with Limit");
        return problems;

        void Check(bool holds, string name, object value, string cure)
        {
            if (!holds)
                problems.Add($"WeirHandlerOptions.{name}: {value} must be {cure}.");
        }
    }
}

/// <summary>What a <see cref="WeirHandler"/> does with a request that would have to wait for too long.</summary>
public enum WhenLimited
{
    /// <summary>Throw an <see cref="OutgoingLimitException"/>, which is an <see cref="HttpRequestException"/> with status 429.</summary>
    Throw,

    /// <summary>
    /// Answer with 429, <c>Retry-After</c> and a problem+json body, in the server's place; <see cref="OutgoingLimitExtensions.IsNotSent"/> tells it from the server's own.
    /// For callers, such as resilience handlers, that deal with 429 anyway.
    /// </summary>
    Respond,
}
