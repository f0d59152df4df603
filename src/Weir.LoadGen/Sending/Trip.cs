using Weir.LoadGen.Scheduling;

namespace Weir.LoadGen.Sending;

/// <summary>What is known of one request when it is over. Instants are on the run's clock.</summary>
internal struct Trip
{
    /// <summary>What was planned.</summary>
    public Departure Departure;

    /// <summary>Index of the target.</summary>
    public int Target;

    /// <summary>Index of the key.</summary>
    public int Key;

    /// <summary>Just before it was handed to the HTTP stack.</summary>
    public long SentNanos;

    /// <summary>Just after status and headers had come; 0 when they did not.</summary>
    public long AnsweredNanos;

    /// <summary>When the whole answer had come, or sending failed.</summary>
    public long DoneNanos;

    /// <summary>The status, 0 without one.</summary>
    public int Status;

    /// <summary>What the status means; also when the answer broke off after it.</summary>
    public Outcome Outcome;

    /// <summary>Why it failed.</summary>
    public Failure Failure;

    /// <summary>How often the HTTP stack sent it again by itself.</summary>
    public int Resent;

    /// <summary>A request that has not been answered yet.</summary>
    public Trip() => Outcome = Outcome.Failed;

    /// <summary>What counts as its outcome: an answer that broke off has failed, whatever its status.</summary>
    public readonly Outcome Counted => Failure == Failure.None ? Outcome : Outcome.Failed;
}
