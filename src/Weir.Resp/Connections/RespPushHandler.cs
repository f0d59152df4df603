namespace Weir.Resp;

/// <summary>
/// Takes messages that answer no command, such as <c>invalidate</c>. Runs on the connection's receiving thread, so it must be quick and
/// must not wait; what it throws is ignored. The message's bytes are gone when it returns.
/// </summary>
/// <param name="message">A reader that stands at the message, an aggregate of type <see cref="RespType.Push"/>.</param>
public delegate void RespPushHandler(ref RespReader message);
