namespace Weir.TestKit;

/// <summary>
/// An engine on a clock that the test moves: a column of the contract suite's table. What every engine can do is reached through
/// <see cref="Limiter"/>; what only some can is told by the properties.
/// </summary>
public abstract class TestEngine : IDisposable
{
    /// <summary>The engine.</summary>
    public abstract ILimiter Limiter { get; }

    /// <summary>The instant by which the engine would decide now.</summary>
    public abstract long NowMicros { get; }

    /// <summary>True when <see cref="DecideAt"/> works.</summary>
    public virtual bool DecidesAtAnyInstant => false;

    /// <summary>
    /// True when a lease can be forgotten before its end after its rule's lease time was made shorter: it is kept as long as leases of the new length, from then on.
    /// </summary>
    public virtual bool ForgetsLongerLeases => false;

    /// <summary>The earliest instant for <see cref="DecideAt"/>.</summary>
    public virtual long EarliestMicros => 0;

    /// <summary>Lets time pass until the engine's clock shows <paramref name="micros"/>; timers fire on the way.</summary>
    public abstract void AdvanceTo(long micros);

    /// <summary>As <see cref="AdvanceTo"/>, but as if the process had been stopped: no timer fires.</summary>
    public abstract void SuspendUntil(long micros);

    /// <summary>Makes the engine tidy up now, whenever it would have done so itself.</summary>
    public virtual void Tidy()
    {
    }

    /// <summary>Decides at an instant that may lie before ones already seen, as a thread does that was held up after reading the clock.</summary>
    public virtual Decision DecideAt(in Charge charge, long nowMicros) => throw new NotSupportedException();

    public abstract void Dispose();
}
