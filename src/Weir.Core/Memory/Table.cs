using System.Runtime.CompilerServices;

namespace Weir;

/// <summary>
/// Open addressing with linear probing over <see cref="Slot"/>s. Read by anyone without a lock; slots are added under the segment's lock and never removed: to free
/// idle counters or to grow, the segment builds its next table and freezes this one slot by slot.
/// </summary>
internal sealed class Table
{
    private readonly Slot[] _slots;
    private readonly int _mask;
    private readonly int[] _labels;
    private byte[] _labelBytes;
    private int _labelEnd;

    public Table(int capacity, long sweptAtMicros)
    {
        _slots = new Slot[capacity];
        _labels = new int[capacity];
        _labelBytes = new byte[capacity * 8];
        _mask = capacity - 1;
        SweptAtMicros = sweptAtMicros;
    }

    /// <summary>When idle counters were last looked for. Written under the segment's lock, read by anyone; never goes back.</summary>
    public long SweptAtMicros { get; set; }

    /// <summary>Slots in use. Written under the segment's lock.</summary>
    public int Used { get; private set; }

    public int Capacity => _slots.Length;

    /// <summary>At most half of the slots are used: the chains of linear probing stay short.</summary>
    public bool HasRoomFor(int counters) => (Used + counters) * 2 <= _slots.Length;

    public ref Slot this[int index] => ref _slots[index];

    /// <summary>Finds a counter.</summary>
    /// <returns>Its index, or −1.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Find(CounterId id)
    {
        var low = id.Low | 1;
        var slots = _slots;
        for (var index = (int)(id.Low >> 1) & _mask; ; index = (index + 1) & _mask)
        {
            ref var slot = ref slots[index];
            var seen = Volatile.Read(ref slot.Low);
            if (seen == low && slot.High == id.High)
                return index;
            if (seen == 0)
                return -1;
        }
    }

    /// <summary>Adds a counter that is not there. Under the segment's lock, and only where <see cref="HasRoomFor"/> says so.</summary>
    public void Add(ulong low, ulong high, ulong word, object content, ReadOnlySpan<byte> label)
    {
        var index = (int)(low >> 1) & _mask;
        while (_slots[index].Low != 0)
            index = (index + 1) & _mask;
        ref var slot = ref _slots[index];
        slot.High = high;
        slot.Word = word;
        slot.Content = content;
        _labels[index] = AppendLabel(label);
        Used++;
        Volatile.Write(ref slot.Low, low);
    }

    /// <summary>What the counter in a slot is called. Under the segment's lock.</summary>
    public ReadOnlySpan<byte> Label(int index)
    {
        var at = _labels[index];
        return _labelBytes.AsSpan(at + 2, Unsafe.ReadUnaligned<ushort>(ref _labelBytes[at]));
    }

    // Labels stand one after the other, each behind its length, and go when the table goes: no object per counter.
    private int AppendLabel(ReadOnlySpan<byte> label)
    {
        var at = _labelEnd;
        if (at + 2 + label.Length > _labelBytes.Length)
            Array.Resize(ref _labelBytes, Math.Max(_labelBytes.Length * 2, at + 2 + label.Length));
        Unsafe.WriteUnaligned(ref _labelBytes[at], (ushort)label.Length);
        label.CopyTo(_labelBytes.AsSpan(at + 2));
        _labelEnd = at + 2 + label.Length;
        return at;
    }
}
