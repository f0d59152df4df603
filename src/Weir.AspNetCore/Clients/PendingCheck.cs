using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Tasks.Sources;

namespace Weir.AspNetCore;

/// <summary>
/// One check with its keys: filled by who asks, answered by a backend, pooled. The keys' bytes are the labels of their counters, so that a memory engine
/// can hash them where they are and a node gets the part after the prefix as JSON.
/// </summary>
/// <remarks>
/// Up to two hold it: who asks, until the answer is taken, and a backend that has it in a queue or on the wire. It returns to the pool when both have let
/// go, so that an answer that comes after the deadline cannot reach another check. Whoever first moves <see cref="TryEnd"/> answers.
/// </remarks>
internal sealed class PendingCheck : IValueTaskSource<LimitResult>
{
    private const int MaxPooled = 1_024;
    private const int KeptBytes = 8 * 1024;
    private static readonly System.Collections.Concurrent.ConcurrentQueue<PendingCheck> Pool = new();
    private static int _pooled;

    [ThreadStatic]
    private static PendingCheck? _kept;

    private ManualResetValueTaskSourceCore<LimitResult> _source = new() { RunContinuationsAsynchronously = true };
    private byte[] _labels = new byte[512];
    private int _written;
    private int _holders;
    private int _ended;

    /// <summary>Charges and their labels.</summary>
    public Entry[] Entries { get; private set; } = new Entry[2];

    public int Count { get; private set; }

    /// <summary>Room for the charges of an engine, one for each entry at least.</summary>
    public Charge[] Charges { get; private set; } = new Charge[2];

    /// <summary>Room for the decisions of an engine, one for each entry at least.</summary>
    public Decision[] Decisions { get; private set; } = new Decision[2];

    /// <summary>What a caller asked who may want to give it back; null when nobody will.</summary>
    public IReadOnlyList<LimitCharge>? Asked { get; private set; }

    /// <summary>When the failure policy answers, by the backend's clock.</summary>
    public long Deadline { get; set; }

    public bool HasEnded => Volatile.Read(ref _ended) != 0;

    /// <param name="Limit">The limit.</param>
    /// <param name="Start">Where its counter's label begins.</param>
    /// <param name="Length">Bytes of the label.</param>
    /// <param name="Cost">Permits to take.</param>
    /// <param name="IsFinal">Whether a reservation leaves it as it is.</param>
    public readonly record struct Entry(Limit Limit, int Start, int Length, int Cost, bool IsFinal);

    /// <summary>An empty check, held by the caller.</summary>
    public static PendingCheck Rent()
    {
        var check = _kept;
        if (check is not null)
            _kept = null;
        else if (Pool.TryDequeue(out check))
            Interlocked.Decrement(ref _pooled);
        else
            check = new PendingCheck();
        check._holders = 1;
        return check;
    }

    /// <summary>A check of what a caller of the client asks.</summary>
    /// <exception cref="WeirException">It is not possible.</exception>
    public static PendingCheck Of(IReadOnlyList<LimitCharge> charges)
    {
        if (charges.Count is 0 or > ILimiter.MaxCharges)
            throw new WeirException($"{charges.Count} charges were given. Give 1 to {ILimiter.MaxCharges}.");
        foreach (var charge in charges)
            Validate(charge, charges[0]);
        var check = Rent();
        check.Asked = charges;
        foreach (var charge in charges)
            check.Add(charge.Limit, charge.Key, charge.Cost, charge.IsFinal);
        return check;
    }

    /// <summary>Adds a charge.</summary>
    public void Add(Limit limit, ReadOnlySpan<char> key, int cost, bool isFinal = false)
    {
        var room = Begin(limit, Encoding.UTF8.GetMaxByteCount(key.Length));
        End(limit, Encoding.UTF8.GetBytes(key, room), cost, isFinal);
    }

    /// <summary>Room for a key of a charge; <see cref="End"/> adds the charge.</summary>
    /// <param name="limit">The limit.</param>
    /// <param name="most">Most bytes that the key may have.</param>
    public Span<byte> Begin(Limit limit, int most)
    {
        var prefix = limit.LabelPrefix;
        var needed = _written + prefix.Length + Math.Max(most, 80);
        if (needed > _labels.Length)
            Array.Resize(ref _labels, Math.Max(needed, 2 * _labels.Length));
        prefix.CopyTo(_labels, _written);
        return _labels.AsSpan(_written + prefix.Length);
    }

    /// <summary>Adds the charge whose key was written into the room.</summary>
    public void End(Limit limit, int keyBytes, int cost, bool isFinal = false)
    {
        var at = _written + limit.LabelPrefix.Length;
        if (keyBytes > RuleBounds.MaxKeyBytes)
            keyBytes = Hash(_labels.AsSpan(at, keyBytes), _labels.AsSpan(at));
        BinaryPrimitives.WriteInt32LittleEndian(_labels.AsSpan(at - 4), keyBytes);
        if (Count == Entries.Length)
            (Entries, Charges, Decisions) = ([.. Entries, .. new Entry[Count]], new Charge[2 * Count], new Decision[2 * Count]);
        Entries[Count++] = new Entry(limit, _written, limit.LabelPrefix.Length + keyBytes, cost, isFinal);
        _written = at + keyBytes;
    }

    /// <summary>The label of a charge's counter.</summary>
    public ReadOnlyMemory<byte> LabelOf(in Entry entry) => _labels.AsMemory(entry.Start, entry.Length);

    /// <summary>The key of a charge.</summary>
    public ReadOnlySpan<byte> KeyOf(in Entry entry) => _labels.AsSpan(entry.Start + entry.Limit.LabelPrefix.Length, entry.Length - entry.Limit.LabelPrefix.Length);

    /// <summary>The answer, when there is one.</summary>
    public ValueTask<LimitResult> Task => new(this, _source.Version);

    /// <summary>Holds it for a backend, until <see cref="Release"/>.</summary>
    public void Hold() => Interlocked.Increment(ref _holders);

    /// <summary>Lets go of it.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref _holders) == 0)
            Return();
    }

    /// <summary>Whether the caller is the one to answer; it must, by <see cref="Answer"/> or <see cref="Fail"/>.</summary>
    public bool TryEnd() => Interlocked.Exchange(ref _ended, 1) == 0;

    public void Answer(in LimitResult result) => _source.SetResult(result);

    public void Fail(Exception why) => _source.SetException(why);

    LimitResult IValueTaskSource<LimitResult>.GetResult(short token)
    {
        try
        {
            return _source.GetResult(token);
        }
        finally
        {
            Release();
        }
    }

    ValueTaskSourceStatus IValueTaskSource<LimitResult>.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource<LimitResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    private static void Validate(in LimitCharge charge, in LimitCharge first)
    {
        if (charge.Limit is null || charge.Key is null)
            throw new WeirException("A charge has no limit or no key. Give both.");
        if (charge.Cost is < 0 or > RuleBounds.MaxCost)
            throw new WeirException($"Limit '{charge.Limit.Name}': cost {charge.Cost} must be 0 to {RuleBounds.MaxCost:N0}.");
        if (charge.Limit.Domain != first.Limit.Domain)
        {
            throw new WeirException(
                $"Limits '{first.Limit.Name}' and '{charge.Limit.Name}' are of the domains '{first.Limit.Domain}' and '{charge.Limit.Domain}'. Check limits of one domain together.");
        }
    }

    private static int Hash(ReadOnlySpan<byte> key, Span<byte> target)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(key, hash);
        "sha256:"u8.CopyTo(target);
        Convert.TryToHexStringLower(hash, target[7..], out var written);
        return 7 + written;
    }

    private void Return()
    {
        Array.Clear(Entries, 0, Count);
        Array.Clear(Charges, 0, Count);
        Array.Clear(Decisions, 0, Count);
        (Count, _written, _ended, Asked) = (0, 0, 0, null);
        _source.Reset();
        if (_labels.Length > KeptBytes || Entries.Length > 16)
            return;
        if (_kept is null)
        {
            _kept = this;
        }
        else if (Interlocked.Increment(ref _pooled) <= MaxPooled)
        {
            Pool.Enqueue(this);
        }
        else
        {
            Interlocked.Decrement(ref _pooled);
        }
    }
}
