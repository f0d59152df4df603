using System.Threading.Tasks.Sources;
using Weir.Resp;

namespace Weir.Redis;

/// <summary>
/// Something that a caller waits for: in a shard's queue, then in a batch, then answered exactly once, by whoever holds it. Never held by two at once.
/// </summary>
internal abstract class Operation
{
    /// <summary>The next one in the queue, or of those that a batch has put together.</summary>
    public Operation? Next { get; set; }

    /// <summary>The timestamp at which the caller began to wait.</summary>
    public long Since { get; set; }

    /// <summary>Puts the operation into a batch that has room.</summary>
    public abstract void AddTo(Batch batch);

    /// <summary>Answers without Redis.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="mayBeCharged">Whether Redis may have done it all the same.</param>
    public abstract void Fail(DegradedReason reason, bool mayBeCharged = false);
}

/// <summary>An operation whose answer is a decision. Reused: its caller takes the answer exactly once, which frees it.</summary>
internal abstract class DecisionOperation : Operation, IValueTaskSource<Decision>
{
    private ManualResetValueTaskSourceCore<Decision> _core;
    private Decision _decision;

    public ValueTask<Decision> Task => new(this, _core.Version);

    /// <summary>Answers. The caller goes on elsewhere, so that it cannot hold up whoever answers.</summary>
    public void Answer(in Decision decision)
    {
        _core.RunContinuationsAsynchronously = true;
        _core.SetResult(decision);
    }

    /// <summary>Sets the answer that <see cref="Release"/> gives.</summary>
    public void Prepare(in Decision decision) => _decision = decision;

    /// <summary>Answers. The caller goes on here.</summary>
    public void Release()
    {
        _core.RunContinuationsAsynchronously = false;
        _core.SetResult(_decision);
    }

    public Decision GetResult(short token)
    {
        var decision = _core.GetResult(token);
        _core.Reset();
        Next = null;
        Free();
        return decision;
    }

    public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    protected abstract void Free();
}

/// <summary>One charge.</summary>
internal sealed class ChargeOperation : DecisionOperation
{
    private FailurePolicies _policies = null!;

    public Charge Charge { get; private set; }

    public static ChargeOperation Rent(in Charge charge, FailurePolicies policies)
    {
        var operation = Pool<ChargeOperation>.Rent();
        (operation.Charge, operation._policies) = (charge, policies);
        return operation;
    }

    public override void AddTo(Batch batch) => batch.Add(this);

    public override void Fail(DegradedReason reason, bool mayBeCharged = false) => Answer(_policies.Decide(Charge, reason, mayBeCharged));

    protected override void Free()
    {
        Charge = default;
        Pool<ChargeOperation>.Return(this);
    }
}

/// <summary>Several charges, all or none.</summary>
internal sealed class GroupOperation : DecisionOperation
{
    private FailurePolicies _policies = null!;

    public ReadOnlyMemory<Charge> Charges { get; private set; }

    public Memory<Decision> Decisions { get; private set; }

    /// <summary>Whether this is a part of a request whose other limits are in other shards: whether its quotas refuse is then not for this part to say.</summary>
    public bool IsPart { get; private set; }

    public static GroupOperation Rent(ReadOnlyMemory<Charge> charges, Memory<Decision> decisions, bool isPart, FailurePolicies policies)
    {
        var operation = Pool<GroupOperation>.Rent();
        (operation.Charges, operation.Decisions, operation.IsPart, operation._policies) = (charges, decisions, isPart, policies);
        return operation;
    }

    public override void AddTo(Batch batch) => batch.Add(this);

    public override void Fail(DegradedReason reason, bool mayBeCharged = false) => Answer(_policies.Decide(Charges.Span, Decisions.Span, reason, mayBeCharged));

    /// <summary>Sets the answer to the decisions that were put in place.</summary>
    public void Prepare(bool refused)
    {
        var charges = Charges.Span;
        Prepare(CombinedDecision.Binding(charges, Decisions.Span[..charges.Length], refused));
    }

    protected override void Free()
    {
        (Charges, Decisions) = (default, default);
        Pool<GroupOperation>.Return(this);
    }
}

/// <summary>Corrects a charge or renews a lease. Rarer than decisions, so not reused.</summary>
internal sealed class CorrectionOperation(OperationKind kind, Charge charge, long? stamp, long actual) : Operation
{
    private readonly TaskCompletionSource<long> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<long> Task => _done.Task;

    public OperationKind Kind => kind;

    public Charge Charge => charge;

    public long? Stamp => stamp;

    public long Actual => actual;

    public override void AddTo(Batch batch) => batch.Add(this);

    public void Answer(long result) => _done.SetResult(result);

    // Whoever asked must know whether it may have been done. What was not sent in time waited behind too many others.
    public override void Fail(DegradedReason reason, bool mayBeCharged = false) => _done.SetException(
        new EngineUnavailableException(mayBeCharged ? DegradedReason.Timeout : reason == DegradedReason.Timeout ? DegradedReason.QueueFull : reason));
}
