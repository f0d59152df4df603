namespace Weir.Resp;

/// <summary>Whether a command that failed without a reply can have had an effect.</summary>
public enum RespExecution
{
    /// <summary>It did not leave this process and never will. Sending it again is safe.</summary>
    NotSent,

    /// <summary>It left, or may still leave. It may have been executed, or may be yet; sending it again could do its work twice.</summary>
    MayHaveExecuted,
}
