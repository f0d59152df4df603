using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Weir.AspNetCore;

/// <summary>A limit as it applies to requests. Immutable.</summary>
/// <param name="Limit">What is charged.</param>
/// <param name="Options">What was said about it.</param>
/// <param name="Source">Who shares it.</param>
/// <param name="OwnCost">What the endpoint says of its cost; null when it says nothing.</param>
internal sealed record PlannedLimit(Limit Limit, LimitOptions Options, KeySource Source, int? OwnCost)
{
    public bool IsLease { get; } = Limit.Rule?.Algorithm == AlgorithmKind.Concurrency;

    /// <summary>Whether what it takes is corrected or ended when the request is over.</summary>
    public bool IsSettled => Options.Reserve || IsLease;

    public int CostOf(HttpContext context) =>
        OwnCost ?? (Options.CostOf is { } costOf ? Math.Clamp(costOf(context), 0, RuleBounds.MaxCost) : Options.Cost);
}

/// <summary>The limits that apply to an endpoint. Immutable.</summary>
internal sealed class LimitPlan(PlannedLimit[] limits)
{
    public PlannedLimit[] Limits => limits;

    public bool IsSettled { get; } = limits.Any(static l => l.IsSettled);

    public bool UsesAddress { get; } = limits.Any(static l => l.Source.UsesAddress);
}

/// <summary>Finds the limits of endpoints. Thread safe; what was found is kept as long as the endpoint lives.</summary>
internal sealed class LimitPlans
{
    private static readonly LimitPlan Exempt = new([]);

    private readonly Dictionary<string, PlannedLimit> _limits = new(StringComparer.Ordinal);
    private readonly PlannedLimit[] _global;
    private readonly LimitPlan _withoutEndpoint;
    private readonly ConditionalWeakTable<Endpoint, LimitPlan> _plans = [];

    public LimitPlans(IOptions<WeirOptions> options)
    {
        var all = options.Value;
        foreach (var (name, limit) in all.Limits)
        {
            var source = new KeySource(limit.By, limit.Key, all.ApiKeyHeader, all.IPv6PrefixLength);
            var problems = new List<string>();
            var made = Limit.TryCreate(name, limit, all.Domain, all.Failure, problems) ?? throw new WeirOptionsException(problems);
            _limits.Add(name, new PlannedLimit(made, limit, source, null));
        }
        _global = [.. _limits.Values.Where(static l => l.Options.Global)];
        _withoutEndpoint = new LimitPlan(_global);
    }

    public LimitPlan Of(Endpoint? endpoint)
    {
        if (endpoint is null)
            return _withoutEndpoint;
        return _plans.TryGetValue(endpoint, out var plan) ? plan : _plans.GetValue(endpoint, Make);
    }

    /// <summary>The limit of a name.</summary>
    /// <returns>Null when there is none.</returns>
    public Limit? Find(string name) => _limits.GetValueOrDefault(name)?.Limit;

    /// <summary>Names that endpoints want and nobody has set up.</summary>
    public IEnumerable<string> ProblemsOf(IEnumerable<Endpoint> endpoints) =>
        from endpoint in endpoints
        from wanted in endpoint.Metadata.OfType<LimitAttribute>()
        where !_limits.ContainsKey(wanted.Name)
        select Missing(endpoint, wanted.Name);

    // Nothing says how to treat a request whose limit nobody knows, so it fails, as it would with an authorization policy.
    private LimitPlan Make(Endpoint endpoint)
    {
        if (endpoint.Metadata.GetMetadata<NoLimitAttribute>() is not null)
            return Exempt;
        var limits = new List<PlannedLimit>(_global);
        foreach (var wanted in endpoint.Metadata.OfType<LimitAttribute>())
        {
            var limit = _limits.GetValueOrDefault(wanted.Name) ?? throw new WeirOptionsException([Missing(endpoint, wanted.Name)]);
            limits.RemoveAll(l => ReferenceEquals(l.Limit, limit.Limit));
            limits.Add(limit with { OwnCost = wanted.OwnCost });
        }
        return new LimitPlan([.. limits]);
    }

    private string Missing(Endpoint endpoint, string name) =>
        $"Endpoint '{endpoint.DisplayName}' wants the limit '{name}', which is not set up. " +
        (_limits.Count == 0 ? "There are no limits: add it in AddWeir." : $"Known: {string.Join(", ", _limits.Keys)}.");
}
