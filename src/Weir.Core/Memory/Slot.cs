using System.Runtime.CompilerServices;

namespace Weir;

/// <summary>
/// One counter in a <see cref="Table"/>: 32 bytes, two to a cache line.
/// </summary>
/// <remarks>
/// Threading: <see cref="High"/>, <see cref="Content"/> and <see cref="Word"/> are written before <see cref="Low"/> is published, under the segment's lock; identities never
/// change afterwards. <see cref="Word"/> is the only thing that decisions change, by compare-and-swap. Its low 62 bits are the state of a one-word algorithm,
/// or the instant at which a cell's counter is idle; its two high bits say who may change it.
/// </remarks>
internal struct Slot
{
    /// <summary>Set while one thread changes the counter in several steps. Short: others spin.</summary>
    public const ulong Locked = 1UL << 63;

    /// <summary>Set for good when the counter has moved to the segment's next table: look again there.</summary>
    public const ulong Frozen = 1UL << 62;

    /// <summary>Low half of the identity; 0 marks an empty slot.</summary>
    public ulong Low;

    /// <summary>High half of the identity.</summary>
    public ulong High;

    /// <summary>State and flags, see the remarks.</summary>
    public ulong Word;

    /// <summary>The <see cref="Rule"/> of a one-word algorithm, or the <see cref="Cell"/> of any other.</summary>
    public object Content;

    /// <summary>The rule that the counter counts by now.</summary>
    public readonly Rule Rule => Content as Rule ?? Unsafe.As<Cell>(Content).Rule;

    /// <summary>Takes the lock bit.</summary>
    /// <returns>False when the counter has moved.</returns>
    public static bool TryLock(ref ulong word)
    {
        var wait = new SpinWait();
        while (true)
        {
            var seen = Volatile.Read(ref word);
            if ((seen & Frozen) != 0)
                return false;
            if ((seen & Locked) == 0 && Interlocked.CompareExchange(ref word, seen | Locked, seen) == seen)
                return true;
            wait.SpinOnce(sleep1Threshold: -1);
        }
    }

    /// <summary>Publishes the state and gives the lock bit back.</summary>
    public static void Unlock(ref ulong word, ulong state) => Volatile.Write(ref word, state & Modular.WordMask);
}
