using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Weir.Server.Deciding;

namespace Weir.AspNetCore;

/// <summary>A limit with a name, checked and ready to be charged. Immutable; make it once and keep it.</summary>
public sealed class Limit
{
    private Limit(string name, string domain, Rule? rule, FailurePolicy failure)
    {
        (Name, Domain, Rule, Failure) = (name, domain, rule, failure);
        NameJson = JsonEncodedText.Encode(name);
        DomainJson = JsonEncodedText.Encode(domain);
        LabelPrefix = Prefix(name);
        if (rule is null)
            return;
        Facts = LimitFacts.Of(rule);
        RateLimitJson = Json(rule);
    }

    /// <summary>Name of the limit, shown in headers, metrics and messages; with the domain it says which counters are meant.</summary>
    public string Name { get; }

    /// <summary>What keeps the counters of one application apart from another's.</summary>
    public string Domain { get; }

    /// <summary>How the limit counts; null when the nodes' rules say.</summary>
    public Rule? Rule { get; }

    /// <summary>What to answer when nobody can decide.</summary>
    public FailurePolicy Failure { get; }

    internal JsonEncodedText NameJson { get; }

    internal JsonEncodedText DomainJson { get; }

    /// <summary>What stands before the key in a counter's label: the descriptor (name, key) up to the key's length.</summary>
    internal byte[] LabelPrefix { get; }

    internal LimitFacts? Facts { get; }

    /// <summary>The limit as nodes read it; null when their rules say.</summary>
    internal byte[]? RateLimitJson { get; }

    /// <summary>A limit of so many permits per window.</summary>
    /// <param name="name">1 to 128 printable ASCII characters.</param>
    /// <param name="permits">Permits per window.</param>
    /// <param name="window">1 ms to 366 days, in whole milliseconds.</param>
    /// <param name="algorithm">How to count.</param>
    /// <param name="domain">What keeps the counters apart from another application's. Default <c>app</c>.</param>
    /// <exception cref="RuleException">A value is out of its range; the message names every one.</exception>
    public static Limit Create(
        string name, long permits, TimeSpan window, AlgorithmKind algorithm = AlgorithmKind.SlidingWindow, string domain = WeirOptions.DefaultDomain) =>
        Create(name, new LimitOptions { Permits = permits, Window = window, Algorithm = algorithm }, domain);

    /// <summary>A limit as <paramref name="options"/> say. What concerns requests (keys, costs) is not looked at.</summary>
    /// <param name="name">1 to 128 printable ASCII characters.</param>
    /// <param name="options">The numbers.</param>
    /// <param name="domain">What keeps the counters apart from another application's. Default <c>app</c>.</param>
    /// <exception cref="RuleException">A value is out of its range; the message names every one.</exception>
    public static Limit Create(string name, LimitOptions options, string domain = WeirOptions.DefaultDomain)
    {
        var problems = new List<string>();
        return TryCreate(name, options, domain, FailurePolicy.Closed, problems) ?? throw new RuleException(problems);
    }

    /// <summary>A limit whose numbers the nodes' rules say: the descriptor (name, key) in <paramref name="domain"/>.</summary>
    /// <param name="name">The key of the descriptor's entry: 1 to 128 printable ASCII characters.</param>
    /// <param name="domain">A domain of the nodes' rules.</param>
    /// <param name="failure">What to answer when no node can be asked. <see cref="FailurePolicy.Local"/> acts as closed: nobody here knows the limit.</param>
    /// <exception cref="RuleException">The name or the domain is out of its range.</exception>
    public static Limit FromNode(string name, string domain, FailurePolicy failure = FailurePolicy.Closed)
    {
        var problems = new List<string>();
        return TryCreate(name, new LimitOptions { FromNode = true, Failure = failure }, domain, failure, problems) ?? throw new RuleException(problems);
    }

    internal static Limit? TryCreate(string name, LimitOptions options, string domain, FailurePolicy failure, ICollection<string> problems)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(domain);
        failure = options.Failure ?? failure;
        var before = problems.Count;
        if (options.Window.Ticks % TimeSpan.TicksPerMillisecond != 0)
            problems.Add($"Rule '{name}': window {options.Window} must be a whole number of milliseconds.");
        var rule = Rule.TryCreate(
            new RuleOptions
            {
                Name = name,
                Domain = domain,
                Path = CallLimitPath.Of(name, options.Algorithm, options.Permits, options.Window),
                Algorithm = options.Algorithm,
                Permits = options.Permits,
                Window = options.Window,
                Burst = options.Burst,
                Failure = failure,
                Shadow = options.Shadow,
                Unlimited = options.FromNode,
            },
            problems);
        return problems.Count > before ? null : new Limit(name, domain, options.FromNode ? null : rule, failure);
    }

    /// <inheritdoc />
    public override string ToString() => Rule?.ToString() ?? $"{Domain}/{Name}: as the nodes' rules say";

    private static byte[] Prefix(string name)
    {
        var bytes = Encoding.UTF8.GetBytes(name);
        var prefix = new byte[1 + 4 + bytes.Length + 4];
        prefix[0] = 1;
        BinaryPrimitives.WriteInt32LittleEndian(prefix.AsSpan(1), bytes.Length);
        bytes.CopyTo(prefix, 5);
        return prefix;
    }

    private static byte[] Json(Rule rule)
    {
        var text = new StringBuilder(
            $"{{\"name\":\"{JsonEncodedText.Encode(rule.Name)}\",\"algorithm\":\"{rule.Algorithm.ToName()}\",\"limit\":{rule.Permits},\"window_ms\":{rule.WindowMicros / 1000}");
        if (rule.Algorithm == AlgorithmKind.TokenBucket && rule.Burst != rule.Permits)
            text.Append(CultureInfo.InvariantCulture, $",\"burst\":{rule.Burst}");
        if (rule.Failure != FailurePolicy.Closed)
            text.Append(CultureInfo.InvariantCulture, $",\"failure\":\"{rule.Failure.ToString().ToLowerInvariant()}\"");
        if (rule.Shadow)
            text.Append(",\"shadow\":true");
        return Encoding.UTF8.GetBytes(text.Append('}').ToString());
    }
}

/// <summary>What headers and answers say about a limit whatever the request. Immutable.</summary>
/// <param name="Name">The limit's name.</param>
/// <param name="Limit">The most that remaining can be.</param>
/// <param name="QuotedName">The name as a structured-field string.</param>
/// <param name="LimitText"><paramref name="Limit"/> in digits.</param>
/// <param name="Policy">The value of <c>RateLimit-Policy</c>.</param>
internal sealed record LimitFacts(string Name, long Limit, string QuotedName, string LimitText, string Policy)
{
    public static LimitFacts Of(Rule rule)
    {
        var facts = RuleFacts.Of(rule);
        return new LimitFacts(rule.Name, rule.Burst, facts.QuotedName, facts.LimitText, facts.Policy);
    }
}
