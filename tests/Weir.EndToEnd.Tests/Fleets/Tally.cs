using System.Text;

namespace Weir.EndToEnd.Tests.Fleets;

/// <summary>What became of a request.</summary>
internal enum Fate
{
    /// <summary>200.</summary>
    Allowed,

    /// <summary>429.</summary>
    Refused,

    /// <summary>200 by failure policy.</summary>
    DegradedAllowed,

    /// <summary>503 by failure policy.</summary>
    DegradedRefused,

    /// <summary>It was sent, and the connection ended before an answer: it may have been charged.</summary>
    Lost,

    /// <summary>Nobody listened: nothing was sent.</summary>
    NotSent,

    /// <summary>Any other answer.</summary>
    Other,
}

/// <summary>What all callers together saw of one target. Thread safe.</summary>
internal sealed class Tally
{
    private readonly int[] _counts = new int[Enum.GetValues<Fate>().Length];

    private Tally(string key, string target)
    {
        Key = key;
        Request = Encoding.ASCII.GetBytes($"GET {target} HTTP/1.1\r\nHost: weir\r\n\r\n");
    }

    public string Key { get; }

    public byte[] Request { get; }

    public int this[Fate fate] => Volatile.Read(ref _counts[(int)fate]);

    public int Allowed => this[Fate.Allowed];

    public int Refused => this[Fate.Refused];

    public int Lost => this[Fate.Lost];

    public int Degraded => this[Fate.DegradedAllowed] + this[Fate.DegradedRefused];

    /// <summary>Of a counter that belongs to a key.</summary>
    public static Tally OfKey(string key) => new(key, $"/rate-limit/{key}");

    /// <summary>Of any path.</summary>
    public static Tally OfPath(string path) => new(path, path);

    public void Add(Fate fate) => Interlocked.Increment(ref _counts[(int)fate]);

    public override string ToString() =>
        $"{Key}: {string.Join(", ", Enum.GetValues<Fate>().Where(o => this[o] > 0).Select(o => $"{this[o]} {o}"))}";
}
