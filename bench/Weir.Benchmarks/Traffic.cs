using System.Text;

namespace Weir.Benchmarks;

/// <summary>
/// Requests made beforehand. Each has a string and bytes of its own, laid out in the order of arrival, because a server has just
/// read the key of the request it decides: the key is near, the counter is anywhere.
/// </summary>
internal sealed class Traffic
{
    private const int RequestsPerLane = 1 << 17;

    /// <summary>Requests for <paramref name="keys"/> keys, drawn evenly, in a lane for each of <paramref name="threads"/> threads.</summary>
    public Traffic(int keys, int threads)
    {
        EveryKey = [.. Enumerable.Range(0, keys).Select(RequestFor)];
        var random = new Random(20_240_229);
        random.Shuffle(EveryKey);
        Lanes = new Request[threads][];
        for (var lane = 0; lane < threads; lane++)
        {
            Lanes[lane] = new Request[RequestsPerLane];
            for (var i = 0; i < RequestsPerLane; i++)
                Lanes[lane][i] = RequestFor(random.Next(keys));
        }
    }

    /// <summary>One request for each key, to make all counters.</summary>
    public Request[] EveryKey { get; }

    /// <summary>What each thread asks, over and over.</summary>
    public Request[][] Lanes { get; }

    private static Request RequestFor(int key)
    {
        var text = $"tenant-{key % 997:d3}:user-{key:d6}";
        return new Request(text, Encoding.UTF8.GetBytes(text));
    }
}
