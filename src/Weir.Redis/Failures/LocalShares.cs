using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Weir.Redis;

/// <summary>
/// The failure policy <c>local</c>: this node decides from its part of a limit, one n-th where n nodes share it, beginning with its part of what remained when the
/// counter was last seen. What it admits is charged to the shared counter afterwards.
/// </summary>
/// <remarks>
/// All parts together are at most the limit. A counter that this node had not seen begins with its whole part, so within a window of the beginning of an
/// outage, at most one further limit is admitted. Outages that follow each other go on with the same parts: none begins with a new one. Thread safe: what is
/// known of a counter's part is guarded by its debt, which is its lock.
/// </remarks>
internal sealed class LocalShares : IDisposable
{
    private const int MaxDebts = 100_000;

    private sealed record Share(int Nodes, Rule? Rule);

    private sealed class Debt(Charge charge)
    {
        public Charge Charge { get; } = charge;

        public long Permits { get; set; }

        /// <summary>Whether the part was reckoned from what remained of the counter.</summary>
        public bool HasBegun { get; set; }

        /// <summary>Whether it was taken to be paid: what comes now needs another one.</summary>
        public bool IsTaken { get; set; }
    }

    private readonly Lazy<MemoryEngine> _lazy;
    private readonly Func<CounterId, Shard> _shardOf;
    private readonly ConditionalWeakTable<Rule, Share> _shares = [];
    private readonly ConcurrentDictionary<CounterId, Debt> _debts = new();
    private int _nodes = 1;

    public LocalShares(TimeProvider time, Func<CounterId, Shard> shardOf)
    {
        _lazy = new Lazy<MemoryEngine>(() => new MemoryEngine(new MemoryEngineOptions { MaxCounters = MaxDebts * 2 }, time));
        _shardOf = shardOf;
    }

    /// <summary>Nodes that share the limits: 1 or more.</summary>
    public int Nodes
    {
        get => Volatile.Read(ref _nodes);
        set => Volatile.Write(ref _nodes, Math.Max(1, value));
    }

    /// <summary>Whether there may be something to pay.</summary>
    public bool HasDebts => !_debts.IsEmpty;

    /// <summary>Decides from this node's part.</summary>
    /// <param name="charge">The charge.</param>
    /// <param name="owes">Whether what is admitted is to be paid. Not when Redis may have charged it already and only its answer did not come.</param>
    public Decision Decide(in Charge charge, bool owes)
    {
        if (ShareOf(charge.Rule) is not { } rule)
            return Refusal(charge.Rule);
        while (true)
        {
            if (!_debts.TryGetValue(charge.Id, out var debt))
            {
                if (_debts.Count >= MaxDebts)
                    return Refusal(charge.Rule);
                debt = _debts.GetOrAdd(charge.Id, static (_, c) => new Debt(c with { Label = c.Label.ToArray() }), charge);
            }
            lock (debt)
            {
                if (!debt.IsTaken)
                    return DecideLocked(debt, charge, rule, owes);
            }
        }
    }

    /// <summary>Takes back what <see cref="Decide"/> allowed for a request that another limit refused.</summary>
    public void GiveBack(in Charge charge, long stamp, bool owes)
    {
        if (ShareOf(charge.Rule) is not { } rule || !_debts.TryGetValue(charge.Id, out var debt))
            return;
        lock (debt)
        {
            // What is being paid already stays charged: too little is admitted, and never too much.
            if (debt.IsTaken)
                return;
            Engine.Settle(charge with { Rule = rule }, stamp, 0, Engine.Clock.NowMicros);
            debt.Permits -= owes ? charge.Cost : 0;
        }
    }

    /// <summary>Takes what was admitted, to be charged to the shared counters.</summary>
    public List<(Charge Charge, int Permits)> TakeDebts(Func<CounterId, bool> belongs)
    {
        var debts = new List<(Charge, int)>();
        foreach (var (id, debt) in _debts)
        {
            if (!belongs(id) || !_debts.TryRemove(id, out _))
                continue;
            lock (debt)
            {
                debt.IsTaken = true;
                if (debt.Permits > 0 && debt.Charge.Rule.Algorithm != AlgorithmKind.Concurrency)
                    debts.Add((debt.Charge with { Cost = 0 }, (int)Math.Min(int.MaxValue, debt.Permits)));
            }
        }
        return debts;
    }

    /// <summary>Remembers a debt that could not be paid.</summary>
    public void PutBack(in Charge charge, int permits)
    {
        while (true)
        {
            var debt = _debts.GetOrAdd(charge.Id, static (_, c) => new Debt(c), charge);
            lock (debt)
            {
                if (debt.IsTaken)
                    continue;
                debt.Permits += permits;
                return;
            }
        }
    }

    public void Dispose()
    {
        if (_lazy.IsValueCreated)
            _lazy.Value.Dispose();
    }

    private MemoryEngine Engine => _lazy.Value;

    private Decision DecideLocked(Debt debt, in Charge charge, Rule rule, bool owes)
    {
        Debug.Assert(Monitor.IsEntered(debt), "The debt guards the counter's part.");
        if (!debt.HasBegun)
        {
            debt.HasBegun = true;
            Begin(charge, rule);
        }
        var decision = Engine.Decide(charge with { Rule = rule }, Engine.Clock.NowMicros);
        if (decision.IsAllowed && owes)
            debt.Permits += charge.Cost;
        return decision;
    }

    private static Decision Refusal(Rule rule) => new() { Outcome = Outcome.Refused, Rule = rule, RetryAfterMicros = 1_000_000 };

    // What was used of the shared counter is used of the share as well, in proportion.
    private void Begin(in Charge charge, Rule share)
    {
        var shard = _shardOf(charge.Id);
        if (!shard.Memory.TryRecall(charge.Id, out var rule, out var hint) || !ReferenceEquals(rule, charge.Rule))
            return;
        var remaining = Math.Max(0, rule.Burst - KnownUse.Of(rule, hint, shard.NowMicros)) / Nodes;
        var look = Engine.Decide(charge with { Rule = share, Cost = 0 }, Engine.Clock.NowMicros);
        var missing = (int)Math.Min(int.MaxValue, look.Remaining - remaining);
        if (missing > 0)
            Engine.Settle(charge with { Rule = share, Cost = 0 }, null, missing, Engine.Clock.NowMicros);
    }

    private Rule? ShareOf(Rule rule)
    {
        var nodes = Nodes;
        if (_shares.TryGetValue(rule, out var known) && known.Nodes == nodes)
            return known.Rule;
        var share = rule.PartOf(nodes);
        _shares.AddOrUpdate(rule, new Share(nodes, share));
        return share;
    }
}
