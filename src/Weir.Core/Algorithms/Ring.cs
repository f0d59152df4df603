using System.Runtime.CompilerServices;

namespace Weir;

/// <summary>
/// A queue in a growing circular array, as a value: each operation returns the next ring and leaves this one readable, because what it writes lies outside
/// it. Only one of the two may be appended to afterwards, and a place that was dropped is free to be written: whoever wants to go back to this ring may
/// drop or append, not both.
/// </summary>
/// <typeparam name="T">What is queued.</typeparam>
public readonly struct Ring<T>
    where T : unmanaged
{
    private const int InitialCapacity = 4;

    private readonly T[]? _items;
    private readonly int _head;

    private Ring(T[]? items, int head, int count) => (_items, _head, Count) = (items, head, count);

    /// <summary>Items in the queue.</summary>
    public int Count { get; }

    /// <summary>The item <paramref name="index"/> places behind the oldest.</summary>
    public ref T this[int index]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref _items![(_head + index) & (_items.Length - 1)];
    }

    /// <summary>The ring with one more item at its end.</summary>
    public Ring<T> Append(T item)
    {
        var items = _items;
        var head = _head;
        if (items is null || Count == items.Length)
            (items, head) = (Grown(), 0);
        items[(head + Count) & (items.Length - 1)] = item;
        return new Ring<T>(items, head, Count + 1);
    }

    /// <summary>The ring without its oldest items.</summary>
    public Ring<T> DropFirst(int items) => items == 0 ? this : new Ring<T>(_items, _head + items, Count - items);

    /// <summary>The ring without its newest items.</summary>
    public Ring<T> DropLast(int items) => items == 0 ? this : new Ring<T>(_items, _head, Count - items);

    private T[] Grown()
    {
        var grown = new T[_items is null ? InitialCapacity : _items.Length * 2];
        for (var i = 0; i < Count; i++)
            grown[i] = this[i];
        return grown;
    }
}
