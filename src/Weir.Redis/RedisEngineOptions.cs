namespace Weir.Redis;

/// <summary>How nodes share counters. Immutable.</summary>
public sealed record RedisEngineOptions
{
    /// <summary>What every key begins with. Nodes that decide as one use the same. Default <c>weir</c>.</summary>
    public string Prefix { get; init; } = "weir";

    /// <summary>
    /// How long a decision may wait for Redis before the rule's failure policy answers; up to 2 ms more pass until that is noticed, and more where this process is too busy to look at the reply. 5 ms to 10 s;
    /// default 15 ms, so that callers have their answer within 20 ms.
    /// </summary>
    public TimeSpan DecisionTimeout { get; init; } = TimeSpan.FromMilliseconds(15);

    /// <summary>
    /// Decisions of one shard that may wait to be sent; further ones are answered by the failure policy at once. 128 to 1,048,576; default 8,192.
    /// </summary>
    public int MaxWaiting { get; init; } = 8_192;

    /// <summary>
    /// Counters whose last answer this node remembers: to refuse again without asking while a refusal holds, and to repair counters that Redis lost.
    /// A power of two, 1,024 to 4,194,304; default 65,536, which takes about 7 MB.
    /// </summary>
    public int RememberedCounters { get; init; } = 65_536;

    /// <summary>
    /// Whether callers go on where Redis' answer was received, most of them, which saves a change of threads. All of them must be known never to block: the
    /// answers of all others wait for that thread. Default false: they go on on the thread pool.
    /// </summary>
    public bool StaysInPlace { get; init; }

    /// <summary>
    /// Finds options that are out of their ranges.
    /// </summary>
    /// <exception cref="ArgumentException">The message names every one with its value and its cure.</exception>
    public static RedisEngineOptions Check(RedisEngineOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var problems = new List<string>();
        if (options.Prefix.Length is 0 or > 64 || options.Prefix.AsSpan().IndexOfAny('{', '}') >= 0 || options.Prefix.Any(static c => c is <= ' ' or > '~'))
            problems.Add($"Prefix '{options.Prefix}' must be 1 to 64 printable ASCII characters without spaces and braces.");
        if (options.DecisionTimeout < TimeSpan.FromMilliseconds(5) || options.DecisionTimeout > TimeSpan.FromSeconds(10))
            problems.Add($"DecisionTimeout {options.DecisionTimeout.TotalMilliseconds} ms must be 5 ms to 10 s.");
        if (options.MaxWaiting is < 128 or > 1_048_576)
            problems.Add($"MaxWaiting {options.MaxWaiting} must be 128 to 1,048,576.");
        if (options.RememberedCounters is < 1_024 or > 4_194_304 || !System.Numerics.BitOperations.IsPow2(options.RememberedCounters))
            problems.Add($"RememberedCounters {options.RememberedCounters} must be a power of two, 1,024 to 4,194,304.");
        return problems.Count == 0 ? options : throw new ArgumentException(string.Join(Environment.NewLine, problems), nameof(options));
    }
}
