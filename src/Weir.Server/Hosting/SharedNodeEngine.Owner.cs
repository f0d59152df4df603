using Microsoft.Extensions.Logging;
using Weir.Redis;
using Weir.Server.Http;

namespace Weir.Server.Hosting;

/// <content>This node's part in what nodes share.</content>
internal sealed partial class SharedNodeEngine
{
    private volatile Membership? _membership;

    public override void Join(NodeState state, int port)
    {
        var host = _config.Host.Contains(':') ? $"[{_config.Host}]" : _config.Host;
        _membership = new Membership(state, $"http://{host}:{port}");
        _shared.Wake();
    }

    public override void TellOthers() => _shared.Wake();

    public override Task LeaveAsync() => _shared.LeaveAsync();

    NodeCard? ISharedStateOwner.Describe(OverridesVersion overrides) => _membership is not { } member ? null : new NodeCard
    {
        Address = member.Address,
        Version = BuildInfo.Version,
        Engine = Name,
        StartedMicros = member.StartedMicros,
        State = Condition(member.State),
        Overrides = overrides.ToString(),
    };

    void ISharedStateOwner.UseSeed(ReadOnlySpan<byte> seed) => _resolver.UseHasher(new CounterHasher(seed));

    void ISharedStateOwner.CountNodes(int nodes) => _engine.Nodes = nodes;

    void ISharedStateOwner.Say(SharedSeverity severity, string message) => _log?.Log(
        severity switch
        {
            SharedSeverity.Information => LogLevel.Information,
            SharedSeverity.Warning => LogLevel.Warning,
            _ => LogLevel.Error,
        },
        "{Message}", message);

    void IOverrideTable.Replace(IReadOnlyDictionary<string, OverrideLimit> all)
    {
        var rules = new Dictionary<string, Rule>(all.Count, StringComparer.Ordinal);
        foreach (var (key, limit) in all)
        {
            if (RuleOf(key, limit) is { } rule)
                rules[key] = rule;
        }
        _resolver.Overrides.Replace(rules);
    }

    void IOverrideTable.Set(string key, OverrideLimit? limit)
    {
        if (limit is not null && RuleOf(key, limit) is { } rule)
            _resolver.Overrides.TrySet(key, rule, int.MaxValue);
        else
            _resolver.Overrides.Lift(key);
    }

    // It keeps the default rule's path and with it the key's counter: what was used stays used.
    private Rule? RuleOf(string key, OverrideLimit limit)
    {
        var problems = new List<string>();
        var rule = limit.ToRule(_resolver.DefaultRule, problems);
        if (rule is null)
            _log?.LogError("the limit of the key '{Key}' in Redis is not possible here and does not apply: {Problems}", key, string.Join(' ', problems));
        return rule;
    }

    /// <summary>What there is to tell once the node listens.</summary>
    private sealed record Membership(NodeState State, string Address)
    {
        public long StartedMicros { get; } = (State.StartedAt - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
    }
}
