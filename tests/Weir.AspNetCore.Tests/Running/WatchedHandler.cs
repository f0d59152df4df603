namespace Weir.AspNetCore.Tests.Running;

/// <summary>Sends requests on, counts those that decide, and can hold their answers back.</summary>
internal sealed class WatchedHandler : DelegatingHandler
{
    private int _checks;
    private TaskCompletionSource? _held;

    public WatchedHandler()
        : base(new SocketsHttpHandler { UseProxy = false })
    {
    }

    /// <summary><c>POST</c>s so far.</summary>
    public int Posts => Volatile.Read(ref _checks);

    /// <summary>Holds answers back until <see cref="LetGo"/>.</summary>
    public void Hold() => _held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void LetGo() => _held!.TrySetResult();

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Method != HttpMethod.Post)
            return await base.SendAsync(request, cancellationToken);
        Interlocked.Increment(ref _checks);
        var response = await base.SendAsync(request, cancellationToken);
        if (_held is { } held)
            await held.Task.WaitAsync(cancellationToken);
        return response;
    }
}
