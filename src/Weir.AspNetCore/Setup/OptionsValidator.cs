using Weir.Resp;

namespace Weir.AspNetCore;

/// <summary>Finds everything that is wrong with options. Every problem names the field, its value and the cure.</summary>
internal static class OptionsValidator
{
    private const int MaxNameLength = 128;

    public static List<string> Problems(WeirOptions options, bool hasNodes)
    {
        var problems = new List<string>();
        if (options.Domain.Length is 0 or > MaxNameLength)
            problems.Add($"Domain '{options.Domain}' must be 1 to {MaxNameLength} characters.");
        if (!Enum.IsDefined(options.Failure))
            problems.Add($"Failure {options.Failure} must be Closed, Open or Local.");
        if ((options.Headers & ~LimitHeaderKinds.All) != LimitHeaderKinds.None)
            problems.Add($"Headers {options.Headers} must be None, XRateLimit, Standard or All.");
        if (options.IPv6PrefixLength is < 16 or > 128)
            problems.Add($"IPv6PrefixLength {options.IPv6PrefixLength} must be 16 to 128.");
        if (string.IsNullOrWhiteSpace(options.ApiKeyHeader))
            problems.Add("ApiKeyHeader is empty. Name a request header, such as X-Api-Key.");
        foreach (var (name, limit) in options.Limits)
            Check(name, limit, options, hasNodes, problems);
        return problems;
    }

    public static List<string> Problems(WeirNodesOptions options)
    {
        var problems = new List<string>();
        if (options.Addresses.Count is 0 or > 100)
            problems.Add($"Addresses has {options.Addresses.Count} entries. Give 1 to 100, such as http://weir-1:8000.");
        foreach (var address in options.Addresses)
        {
            if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.PathAndQuery != "/" || uri.UserInfo.Length > 0)
                problems.Add($"Addresses: '{address}' must be an http or https address without path, such as http://weir-1:8000.");
        }
        foreach (var twice in options.Addresses.GroupBy(static a => a.TrimEnd('/'), StringComparer.OrdinalIgnoreCase).Where(static g => g.Count() > 1))
            problems.Add($"Addresses: '{twice.Key}' is given {twice.Count()} times. Give it once.");
        InRange(nameof(options.Timeout), options.Timeout, TimeSpan.FromMilliseconds(5), TimeSpan.FromMinutes(1), "5 ms to 1 minute", problems);
        InRange(nameof(options.MaxBatch), options.MaxBatch, 1, 1_000, problems);
        InRange(nameof(options.ConnectionsPerNode), options.ConnectionsPerNode, 1, 64, problems);
        InRange(nameof(options.MaxWaiting), options.MaxWaiting, 1, 1_000_000, problems);
        InRange(nameof(options.ProbeInterval), options.ProbeInterval, TimeSpan.FromMilliseconds(20), TimeSpan.FromMinutes(1), "20 ms to 1 minute", problems);
        InRange(nameof(options.Instances), options.Instances, 1, 10_000, problems);
        return problems;
    }

    public static List<string> Problems(WeirRedisOptions options)
    {
        var problems = new List<string>();
        if (options.Url.Length == 0)
            problems.Add("Url is empty. Give a server, such as redis://localhost:6379.");
        else if (!RespOptions.TryParse(options.Url, out _, out var problem))
            problems.Add($"Url: {problem}");
        if (options.Prefix.Length is 0 or > 64 || options.Prefix.AsSpan().IndexOfAny('{', '}') >= 0 || options.Prefix.Any(static c => c is <= ' ' or > '~'))
            problems.Add($"Prefix '{options.Prefix}' must be 1 to 64 printable ASCII characters without spaces and braces.");
        InRange(nameof(options.DecisionTimeout), options.DecisionTimeout, TimeSpan.FromMilliseconds(5), TimeSpan.FromSeconds(10), "5 ms to 10 s", problems);
        InRange(nameof(options.Instances), options.Instances, 1, 10_000, problems);
        return problems;
    }

    public static List<string> Problems(WeirMemoryOptions options)
    {
        var problems = new List<string>();
        InRange(nameof(options.MaxCounters), options.MaxCounters, 1_000, 100_000_000, problems);
        return problems;
    }

    private static void Check(string name, LimitOptions limit, WeirOptions options, bool hasNodes, List<string> problems)
    {
        var found = new List<string>();
        Limit.TryCreate(name, limit, options.Domain.Length is 0 or > MaxNameLength ? WeirOptions.DefaultDomain : options.Domain, options.Failure, found);
        problems.AddRange(found.Select(p => p.Replace("Rule '", "Limits '", StringComparison.Ordinal)));
        if (limit.Cost is < 0 or > RuleBounds.MaxCost)
            problems.Add($"Limits '{name}': Cost {limit.Cost} must be 0 to {RuleBounds.MaxCost:N0}.");
        else if (!limit.FromNode && limit.CostOf is null && limit.Permits > 0 && limit.Cost > Math.Max(limit.Permits, limit.Burst ?? 0))
            problems.Add($"Limits '{name}': Cost {limit.Cost} is more than its {limit.Permits} Permits can ever give. Choose a smaller cost or more permits.");
        if (!Enum.IsDefined(limit.By))
            problems.Add($"Limits '{name}': By {limit.By} must be Address, User, ApiKey or Everyone.");
        if (limit.Failure is { } failure && !Enum.IsDefined(failure))
            problems.Add($"Limits '{name}': Failure {failure} must be Closed, Open or Local.");
        if (limit.FromNode && !hasNodes)
            problems.Add($"Limits '{name}': FromNode needs nodes, whose rules say the numbers. Use nodes, or give Permits and Window here.");
        if (limit.FromNode && limit.Shadow)
            problems.Add($"Limits '{name}': Shadow is for the nodes' rules to say where FromNode is set. Remove one of them.");
    }

    private static void InRange(string field, TimeSpan value, TimeSpan least, TimeSpan most, string range, List<string> problems)
    {
        if (value < least || value > most)
            problems.Add($"{field} {value} must be {range}.");
    }

    private static void InRange(string field, long value, long least, long most, List<string> problems)
    {
        if (value < least || value > most)
            problems.Add($"{field} {value} must be {least:N0} to {most:N0}.");
    }
}

/// <summary>Options are out of their ranges.</summary>
public sealed class WeirOptionsException : Exception
{
    /// <summary>Makes the exception for the problems found.</summary>
    /// <param name="problems">Every problem.</param>
    public WeirOptionsException(IReadOnlyList<string> problems)
        : base("Weir cannot be used as it is set up:" + string.Concat(problems.Select(static p => $"{Environment.NewLine}  {p}"))) => Problems = problems;

    /// <summary>Every problem, each naming the field, its value and the cure.</summary>
    public IReadOnlyList<string> Problems { get; }

    internal static void ThrowIfAny(IReadOnlyList<string> problems)
    {
        if (problems.Count > 0)
            throw new WeirOptionsException(problems);
    }
}
