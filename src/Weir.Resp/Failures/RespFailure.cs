namespace Weir.Resp;

/// <summary>What went wrong, as a value: for commands that got no reply, and for connections.</summary>
/// <param name="Stage">How far things had come.</param>
/// <param name="Cause">Why it failed; <see cref="RespCause.None"/> when it did not.</param>
/// <param name="Execution">Whether the command can have had an effect. Connections that never were have sent nothing.</param>
public readonly record struct RespFailure(RespStage Stage, RespCause Cause, RespExecution Execution = RespExecution.NotSent)
{
    /// <summary>What it means and what to do, in one or two sentences without names or addresses.</summary>
    public string Message => RespMessages.Of(Stage, Cause);
}
