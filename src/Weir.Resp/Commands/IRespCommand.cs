namespace Weir.Resp;

/// <summary>
/// Something that can be sent. <see cref="RespCommand"/> does for most; own types write large or reused commands without copies.
/// </summary>
public interface IRespCommand
{
    /// <summary>
    /// Writes the command. Called once for each attempt to send it, so more than once when a Cluster redirects it, and always before the
    /// reply or failure is given; each time it must write the same.
    /// </summary>
    /// <remarks>Runs while the connection is locked: it must be quick, must not wait, and must not send anything itself.</remarks>
    /// <param name="writer">Where to write; use it by reference and only during this call.</param>
    void Write(ref RespCommandWriter writer);

    /// <summary>
    /// Whether its sender saves the ways over the thread pool: it writes to the socket on its own thread unless another is just writing, and it goes on
    /// on the thread that received the reply, which all other replies of the connection wait for, so it must never block. Default false.
    /// </summary>
    bool StaysInPlace => false;
}
