namespace Weir.TestKit;

/// <summary>What a step of a trace does.</summary>
public enum StepKind
{
    /// <summary>One charge.</summary>
    Take,

    /// <summary>A charge of cost 0.</summary>
    Look,

    /// <summary>Several charges in one request, the same counter twice at times.</summary>
    Many,

    /// <summary>An earlier charge turns out to have cost something else.</summary>
    Settle,

    /// <summary>As <see cref="Settle"/>, without the stamp.</summary>
    SettleUnstamped,

    /// <summary>An earlier lease is renewed.</summary>
    Renew,

    /// <summary>A counter is reset.</summary>
    Reset,

    /// <summary>Time passes.</summary>
    Advance,

    /// <summary>Time passes and no timer fires.</summary>
    Suspend,

    /// <summary>Time passes until the last decision's retry or reset, or a microsecond to either side.</summary>
    Boundary,

    /// <summary>The engine tidies up.</summary>
    Tidy,

    /// <summary>A rule gets another limit, burst, window or algorithm.</summary>
    ChangeRule,

    /// <summary>All counters are listed.</summary>
    List,

    /// <summary>A charge whose instant was read before the newest decision.</summary>
    Stale,
}

/// <summary>
/// One step of a trace. What the two numbers mean is for the step to say; every pair means something, so that traces can be made at random and
/// cut down to the steps that matter.
/// </summary>
public readonly record struct Step(StepKind Kind, int A, int B)
{
    public override string ToString() => $"{Kind}({A}, {B})";
}
