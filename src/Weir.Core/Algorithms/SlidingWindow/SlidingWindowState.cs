namespace Weir;

/// <summary>What a <see cref="SlidingWindow"/> counter remembers: when permits were taken, oldest first.</summary>
/// <param name="Taken">Each entry packs an instant modulo 2^45 µs (407 days) over the permits taken at it.</param>
/// <param name="Sum">Permits in all entries.</param>
/// <param name="NewestMicros">The newest instant seen, whole, at or behind which all others lie; they are found from their distance to it.</param>
public readonly record struct SlidingWindowState(Ring<ulong> Taken, long Sum, long NewestMicros);
