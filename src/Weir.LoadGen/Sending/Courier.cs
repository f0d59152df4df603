using System.Net.Http;
using System.Threading.Tasks.Sources;
using Weir.LoadGen.Proof;
using Weir.LoadGen.Scheduling;

namespace Weir.LoadGen.Sending;

/// <summary>
/// Carries one request at a time, again and again: with its loop, timer, buffer and message kept, a request costs nothing but what the HTTP stack takes.
/// </summary>
/// <remarks>
/// Whoever took it from the depot calls <see cref="Send"/> once; the loop goes on with that call, on the caller's thread up to the first wait, and hands
/// the courier back to the depot when the answer was read. The depot's lock orders one use after the other.
/// </remarks>
internal sealed class Courier : IValueTaskSource<bool>, IDisposable
{
    private readonly Depot _depot;
    private readonly byte[] _buffer = new byte[8 * 1024];
    private ManualResetValueTaskSourceCore<bool> _call;
    private CancellationTokenSource _patience = new();
    private CountedRequest? _message;
    private Departure _departure;

    public Courier(Depot depot)
    {
        _depot = depot;
        Loop = RunAsync();
    }

    /// <summary>Ends after <see cref="GoHome"/>.</summary>
    public Task Loop { get; }

    /// <summary>Sends a request.</summary>
    public void Send(in Departure departure)
    {
        _departure = departure;
        _call.SetResult(true);
    }

    /// <summary>Ends the loop.</summary>
    public void GoHome() => _call.SetResult(false);

    /// <inheritdoc />
    public void Dispose()
    {
        _patience.Dispose();
        _message?.Dispose();
    }

    bool IValueTaskSource<bool>.GetResult(short token)
    {
        var go = _call.GetResult(token);
        _call.Reset();
        return go;
    }

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _call.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _call.OnCompleted(continuation, state, token, flags);

    // One method for everything that waits: its state is made once for each courier, where methods that it awaited would make theirs for each request.
    private async Task RunAsync()
    {
        while (await new ValueTask<bool>(this, _call.Version).ConfigureAwait(false))
        {
            do
            {
                var trip = Begin(_departure, out var message);
                var told = Told.Nothing;
                try
                {
                    using var answer = await _depot.Clients[trip.Target].SendAsync(message, _patience.Token).ConfigureAwait(false);
                    told = Look(answer, ref trip);
                    var body = answer.Content.ReadAsStream(CancellationToken.None);
                    while (await body.ReadAsync(_buffer, _patience.Token).ConfigureAwait(false) > 0)
                    {
                        // Drained into the courier's own buffer; what the body says is not looked at.
                    }
                    trip.Failure = trip.Outcome == Outcome.Failed ? Failure.Status : Failure.None;
                }
                catch (Exception e)
                {
                    trip.Failure = Failures.Of(e, wasSent: message.Sent > 0, answerBegan: trip.Status != 0);
                }
                End(ref trip, told);
            }
            while (_depot.TryTakeNext(out _departure));
            _depot.Return(this);
        }
    }

    private Trip Begin(in Departure departure, out CountedRequest message)
    {
        var trip = new Trip { Departure = departure, Target = _depot.TargetOf(departure.Sequence), Key = _depot.Options.Keys.Draw(departure.Sequence) };
        message = MessageFor(_depot.Clients[trip.Target], trip.Key, departure.Sequence);
        _patience.CancelAfter(_depot.Options.Timeout);
        trip.SentNanos = _depot.Clock.Nanos;
        _depot.Stats.Left(trip);
        return trip;
    }

    private Told Look(HttpResponseMessage answer, ref Trip trip)
    {
        trip.AnsweredNanos = _depot.Clock.Nanos;
        trip.Status = (int)answer.StatusCode;
        trip.Outcome = _depot.Options.Statuses[trip.Status];
        _depot.Stats.ServedBy(answer);
        return _depot.Proof is null ? Told.Nothing : Told.By(answer);
    }

    private void End(ref Trip trip, Told told)
    {
        trip.DoneNanos = _depot.Clock.Nanos;
        trip.Resent = _depot.Options.Resend ? Math.Max(0, (_message?.Sent ?? 0) - 1) : 0;
        MakeReady(trip.Failure);
        _depot.Proof?.Record(trip.Key, Observation.Of(trip, told));
        _depot.Stats.Came(trip);
    }

    private CountedRequest MessageFor(TargetClient client, int key, long sequence)
    {
        var shape = _depot.Options.Shape;
        if (_message is null || !shape.IsReusable)
            _message = shape.Create(_depot.Options.Keys.Name(key), sequence);
        _message.Sent = 0;
        _message.RequestUri = client.AddressOf(key, sequence);
        return _message;
    }

    private void MakeReady(Failure failure)
    {
        // After a failure the stack may still hold the message, so the next request gets one of its own.
        if (failure is not (Failure.None or Failure.Status))
            _message = null;
        if (_patience.TryReset())
            return;
        _patience.Dispose();
        _patience = new CancellationTokenSource();
    }
}
