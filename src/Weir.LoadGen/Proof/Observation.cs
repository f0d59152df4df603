using Weir.LoadGen.Sending;

namespace Weir.LoadGen.Proof;

/// <summary>What a request showed of the limiter.</summary>
internal enum Verdict : byte
{
    /// <summary>Nothing: the limiter never saw it.</summary>
    None,

    /// <summary>It was let pass.</summary>
    Admitted,

    /// <summary>It was refused by the limit.</summary>
    Refused,

    /// <summary>Nobody here can know: the limiter may have taken a permit for it.</summary>
    Unknown,
}

/// <summary>A request as the proof sees it: somewhere between sending and answer the server decided.</summary>
/// <param name="SentNanos">Just before it was sent, on the run's clock.</param>
/// <param name="AnsweredNanos">Just after the answer's headers had come; without an end where there was no answer.</param>
/// <param name="Told">What the headers say.</param>
/// <param name="Target">Index of the target.</param>
/// <param name="Verdict">What the answer says.</param>
internal readonly record struct Observation(long SentNanos, long AnsweredNanos, Told Told, ushort Target, Verdict Verdict)
{
    /// <summary>What is observed of a request that is over.</summary>
    public static Observation Of(in Trip trip, Told told)
    {
        var verdict = trip.Outcome switch
        {
            _ when trip.Status == 0 => Failures.MayHaveBeenDecided(trip.Failure) ? Verdict.Unknown : Verdict.None,
            // Its status had come when the answer broke off: the limiter had decided.
            Outcome.Allowed => Verdict.Admitted,
            Outcome.Limited => Verdict.Refused,
            // Whoever answers 500 may have taken the permit before.
            _ => Verdict.Unknown,
        };
        return new Observation(trip.SentNanos, trip.Status == 0 ? long.MaxValue : trip.AnsweredNanos, told, (ushort)trip.Target, verdict);
    }
}
