using System.Runtime.CompilerServices;

namespace Weir;

/// <summary>
/// Numbers that live in the low bits of a state word and wrap around. Two of them are compared by their difference read as a signed number, which is
/// right as long as they are less than half the range apart; the engine sweeps counters often enough for that.
/// </summary>
internal static class Modular
{
    /// <summary>Bits of a state word that belong to the algorithm; the engine keeps the other two.</summary>
    public const int WordBits = 62;

    /// <summary>The bits of <see cref="WordBits"/>.</summary>
    public const ulong WordMask = (1UL << WordBits) - 1;

    /// <summary>The difference <paramref name="a"/> − <paramref name="b"/> of two numbers of <paramref name="bits"/> bits, signed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long Difference(ulong a, ulong b, int bits) => (long)((a - b) << (64 - bits)) >> (64 - bits);

    /// <summary>The quotient rounded up. Both must be positive or the dividend zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static long CeilingDivide(long dividend, long divisor) =>
        divisor == 1 ? dividend : (dividend / divisor) + (dividend % divisor == 0 ? 0 : 1);
}
