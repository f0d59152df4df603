using System.Globalization;
using Weir.AspNetCore.Waiting;

namespace Weir.AspNetCore.Outgoing;

/// <summary>Why a request is not sent, for people.</summary>
/// <param name="Message">The sentence, which says the name, the values and the cure.</param>
/// <param name="RetryAfter">When it is worth trying again; null when it is not.</param>
internal sealed record Stopped(string Message, TimeSpan? RetryAfter)
{
    public static Stopped ByServer(string partition, Stop stop, TimeSpan retryAfter, Patience patience) =>
        new(Text($"The limit of {partition}", stop, retryAfter, patience), retryAfter);

    public static Stopped ByLimit(Limit limit, string key, Permit permit, Patience patience)
    {
        TimeSpan? retryAfter = permit.Result.Outcome == Outcome.Refused ? permit.Result.RetryAfter : null;
        return new(Text($"Limit '{limit.Name}' for '{key}'", permit.Stop, retryAfter, patience), retryAfter);
    }

    private static string Text(string who, Stop stop, TimeSpan? retryAfter, Patience patience) => (stop, retryAfter) switch
    {
        (_, null) => $"Not sent. {who} has no permit for it, at any time.",
        (Stop.LineFull, _) => $"Not sent. {who} is reached, and as many requests as MaxWaiting allows wait already.",
        (_, { } time) => string.Create(CultureInfo.InvariantCulture,
            $"Not sent. {who} is reached for another {time.TotalSeconds:0.###} s; a request may wait for {patience.MaxWait.TotalSeconds:0.###} s (MaxWait)."),
    };
}
