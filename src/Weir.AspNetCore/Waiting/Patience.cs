namespace Weir.AspNetCore.Waiting;

/// <summary>How long one request may still wait. Only waiting counts, not the time that servers take to answer.</summary>
internal sealed class Patience(TimeProvider time, TimeSpan maxWait)
{
    /// <summary>What it began with.</summary>
    public TimeSpan MaxWait { get; } = maxWait;

    /// <summary>What is left; zero or more.</summary>
    public TimeSpan Left { get; private set; } = maxWait;

    /// <summary>Waits for a pass.</summary>
    public async ValueTask<Entry> EnterAsync(Gate gate, CancellationToken cancellation)
    {
        var entering = gate.EnterAsync(Left, cancellation);
        if (entering.IsCompletedSuccessfully)
            return await entering;
        var since = time.GetTimestamp();
        var entry = await entering;
        var waited = time.GetElapsedTime(since);
        Left = waited < Left ? Left - waited : TimeSpan.Zero;
        return entry;
    }
}
