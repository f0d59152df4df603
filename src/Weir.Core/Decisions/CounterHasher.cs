using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;

namespace Weir;

/// <summary>
/// Makes <see cref="CounterId"/>s: two independent lanes of multiply-and-fold over 16-byte blocks, under a secret 256-bit seed, so that
/// nobody outside can craft keys that collide. Four multiplications for a key of up to 16 bytes; allocates nothing.
/// </summary>
/// <remarks>Immutable and thread safe. Nodes that share counters must share the seed.</remarks>
public sealed class CounterHasher
{
    private readonly ulong _seed0;
    private readonly ulong _seed1;
    private readonly ulong _seed2;
    private readonly ulong _seed3;

    /// <summary>A hasher with a random seed.</summary>
    public CounterHasher()
        : this(RandomNumberGenerator.GetBytes(32))
    {
    }

    /// <summary>A hasher with a given seed.</summary>
    /// <param name="seed">32 secret bytes.</param>
    /// <exception cref="ArgumentException">The seed is not 32 bytes long.</exception>
    public CounterHasher(ReadOnlySpan<byte> seed)
    {
        if (seed.Length != 32)
            throw new ArgumentException($"The seed has {seed.Length} bytes and must have 32.", nameof(seed));
        // Odd multipliers keep every bit of the input; a factor of two would push one out.
        _seed0 = BinaryPrimitives.ReadUInt64LittleEndian(seed) | 1;
        _seed1 = BinaryPrimitives.ReadUInt64LittleEndian(seed[8..]) | 1;
        _seed2 = BinaryPrimitives.ReadUInt64LittleEndian(seed[16..]) | 1;
        _seed3 = BinaryPrimitives.ReadUInt64LittleEndian(seed[24..]) | 1;
    }

    /// <summary>The starting point of a rule's counters: hash once per rule, then <see cref="Combine"/> per request.</summary>
    public CounterId Start(Rule rule)
    {
        ArgumentNullException.ThrowIfNull(rule);
        // Lengths stand before the parts, so that no two (domain, path) pairs run together into the same text.
        return Hash(default, Encoding.UTF8.GetBytes($"{rule.Domain.Length}:{rule.Domain}{rule.Path}"));
    }

    /// <summary>The counter of one descriptor under a rule.</summary>
    /// <param name="start">The rule's <see cref="Start"/>.</param>
    /// <param name="descriptor">The descriptor's canonical bytes.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public CounterId Combine(CounterId start, ReadOnlySpan<byte> descriptor) => Hash(start, descriptor);

    private CounterId Hash(CounterId start, ReadOnlySpan<byte> bytes)
    {
        var a = start.High ^ _seed0;
        var b = start.Low ^ _seed1;
        var length = (ulong)bytes.Length;
        while (bytes.Length > 16)
        {
            Mix(ref a, ref b, BinaryPrimitives.ReadUInt64LittleEndian(bytes), BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]));
            bytes = bytes[16..];
        }
        var (low, high) = Tail(bytes);
        Mix(ref a, ref b, low, high);
        Mix(ref a, ref b, length ^ _seed2, _seed3);
        return new CounterId(a, b);
    }

    // Each lane multiplies different sums of the same words, so words that zero one product leave the other.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Mix(ref ulong a, ref ulong b, ulong x, ulong y)
    {
        var nextA = Fold(x ^ a ^ _seed2, y ^ _seed0 ^ ulong.RotateLeft(b, 23));
        var nextB = Fold(y + b + _seed3, ulong.RotateLeft(x, 32) ^ _seed1 ^ ulong.RotateLeft(a, 41));
        a = nextA ^ b;
        b = nextB + ulong.RotateLeft(a, 29);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Fold(ulong x, ulong y)
    {
        var high = Math.BigMul(x, y, out var low);
        return high ^ low ^ x;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (ulong Low, ulong High) Tail(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length >= 8)
            return (BinaryPrimitives.ReadUInt64LittleEndian(bytes), BinaryPrimitives.ReadUInt64LittleEndian(bytes[^8..]));
        if (bytes.Length >= 4)
            return (BinaryPrimitives.ReadUInt32LittleEndian(bytes), BinaryPrimitives.ReadUInt32LittleEndian(bytes[^4..]));
        if (bytes.IsEmpty)
            return (0, 0);
        return (bytes[0] | ((ulong)bytes[bytes.Length >> 1] << 8) | ((ulong)bytes[^1] << 16), 0);
    }
}
