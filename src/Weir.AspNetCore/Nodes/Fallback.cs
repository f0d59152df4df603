using System.Runtime.CompilerServices;

namespace Weir.AspNetCore;

/// <summary>Answers by failure policies, because no node can be asked or none has answered in time. Thread safe.</summary>
/// <remarks>
/// With <see cref="FailurePolicy.Local"/> this process decides from its part of the limit, in its memory: over all instances at most one further limit is
/// admitted while nodes are away.
/// </remarks>
internal sealed class Fallback(int instances, TimeProvider time) : IDisposable
{
    private const long MaxCounters = 200_000;
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly Lazy<MemoryEngine> _engine = new(() => new MemoryEngine(new MemoryEngineOptions { MaxCounters = MaxCounters }, time));
    private readonly CounterNames _names = new(new CounterHasher());
    private readonly ConditionalWeakTable<Rule, object> _parts = [];

    /// <param name="Charge">What was asked of this process' part.</param>
    /// <param name="Stamp">The decision's stamp.</param>
    /// <param name="IsOpen">Whether it was taken and can still be settled.</param>
    private readonly record struct LocalCharge(Charge Charge, long Stamp, bool IsOpen);

    /// <summary>Decides a check.</summary>
    public LimitResult Decide(PendingCheck check) => Decide(check, out _);

    /// <summary>Reserves what a check asks.</summary>
    public LimitReservation Reserve(PendingCheck check, TimeSpan timeToLive)
    {
        var result = Decide(check, out var local);
        if (!result.IsAllowed)
            return new LimitReservation(result, null, TimeSpan.Zero);
        var open = local.Where(l => l.IsOpen).ToArray();
        var taken = new EngineBackend.Taken([.. open.Select(static l => l.Charge with { Label = l.Charge.Label.ToArray() })], [.. open.Select(static l => l.Stamp)]);
        var leases = open.Where(static l => l.Charge.Rule.Algorithm == AlgorithmKind.Concurrency).Select(static l => l.Charge.Rule.Window);
        return new LimitReservation(result, open.Length == 0 ? null : taken, leases.Append(timeToLive).Min());
    }

    /// <summary>Settles what was reserved here.</summary>
    public async ValueTask<bool> CommitAsync(EngineBackend.Taken taken, int? actual)
    {
        if (!taken.TryEnd())
            return false;
        for (var i = 0; i < taken.Charges.Length; i++)
        {
            var isLease = taken.Charges[i].Rule.Algorithm == AlgorithmKind.Concurrency;
            if (isLease || actual is not null)
                await _engine.Value.SettleAsync(taken.Charges[i], taken.Stamps[i], isLease ? 0 : actual!.Value);
        }
        return true;
    }

    /// <summary>Renews the leases that were given here.</summary>
    public async ValueTask<bool> RenewAsync(EngineBackend.Taken taken)
    {
        var holds = !taken.HasEnded;
        for (var i = 0; i < taken.Charges.Length && holds; i++)
        {
            if (taken.Charges[i].Rule.Algorithm == AlgorithmKind.Concurrency)
                holds = await _engine.Value.RenewAsync(taken.Charges[i], taken.Stamps[i]);
        }
        return holds;
    }

    public void Dispose()
    {
        if (_engine.IsValueCreated)
            _engine.Value.Dispose();
    }

    private LimitResult Decide(PendingCheck check, out LocalCharge[] local)
    {
        local = [];
        var charges = new List<Charge>();
        var entries = new List<PendingCheck.Entry>();
        Limit? speaks = null;
        for (var i = 0; i < check.Count; i++)
        {
            var entry = check.Entries[i];
            var limit = entry.Limit;
            if (limit.Rule is { Shadow: true })
                continue;
            if (limit.Failure == FailurePolicy.Open)
            {
                speaks ??= limit;
                continue;
            }
            if (limit.Failure == FailurePolicy.Closed || limit.Rule is not { } rule || PartOf(rule) is not { } part)
                return Refused(limit);
            charges.Add(new Charge(part, _names.IdOf(part, check.LabelOf(entry).Span), entry.Cost, check.LabelOf(entry)));
            entries.Add(entry);
        }
        if (charges.Count == 0)
            return Result(new Decision { Outcome = Outcome.Allowed }, speaks);
        var decisions = new Decision[charges.Count];
        var binding = _engine.Value.Decide([.. charges], decisions, _engine.Value.Clock.NowMicros);
        local = [.. decisions.Select((d, i) => new LocalCharge(charges[i], d.Stamp, IsOpen(d, entries[i])))];
        return Result(binding, LimitOf(check, binding.Rule));
    }

    private static bool IsOpen(in Decision decision, in PendingCheck.Entry entry) =>
        decision.IsAllowed && decision.Source != DecisionSource.Degraded && (!entry.IsFinal || entry.Limit.Rule!.Algorithm == AlgorithmKind.Concurrency);

    private static LimitResult Refused(Limit limit) =>
        Result(new Decision { Outcome = Outcome.Refused }, limit) with { RetryAfter = RetryAfter };

    private static LimitResult Result(in Decision decision, Limit? limit) => new()
    {
        Outcome = decision.Outcome,
        Source = DecisionSource.Degraded,
        Remaining = decision.Remaining,
        Reset = decision.Reset,
        RetryAfter = decision.RetryAfter,
        Facts = limit?.Facts,
    };

    private static Limit? LimitOf(PendingCheck check, Rule? part)
    {
        for (var i = 0; i < check.Count && part is not null; i++)
        {
            if (check.Entries[i].Limit.Rule is { } rule && rule.Path == part.Path)
                return check.Entries[i].Limit;
        }
        return null;
    }

    // Null when the part is nothing.
    private Rule? PartOf(Rule rule) => _parts.GetValue(rule, r => r.PartOf(instances) ?? (object)DBNull.Value) as Rule;
}
