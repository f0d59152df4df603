using System.Buffers.Binary;

namespace Weir.Redis;

/// <summary>Reads a counter's state as the script keeps it, for listings.</summary>
internal static class StoredCounter
{
    private const int LogHead = 13;
    private const int LogEntry = 12;
    private const int LeaseHead = 9;
    private const int Lease = 20;

    /// <summary>What a state says now.</summary>
    /// <returns>False when nothing of it counts any more, or when it was written under a rule of another kind.</returns>
    public static bool TryRead(ReadOnlySpan<byte> state, Rule rule, long now, out long used, out CounterAnswer look, out CounterAnswer next)
    {
        (used, look, next) = (0, default, default);
        if (state.IsEmpty || state[0] != TagOf(rule, state[0]))
            return false;
        return rule.Algorithm switch
        {
            AlgorithmKind.TokenBucket => TryReadBucket(state, rule, now, out used, out look, out next),
            AlgorithmKind.FixedWindow => TryReadWindow(state, rule, now, out used, out look, out next),
            AlgorithmKind.SlidingCounter => TryReadCounts(state, rule, now, out used, out look, out next),
            AlgorithmKind.SlidingWindow => TryReadLog(state, rule, now, out used, out look, out next),
            _ => TryReadLeases(state, rule, now, out used, out look, out next),
        };
    }

    private static byte TagOf(Rule rule, byte tag) => rule.Algorithm switch
    {
        AlgorithmKind.TokenBucket => tag == (byte)'U' ? tag : (byte)'T',
        AlgorithmKind.FixedWindow => (byte)'F',
        AlgorithmKind.SlidingCounter => (byte)'C',
        AlgorithmKind.SlidingWindow => tag == (byte)'w' ? tag : (byte)'W',
        _ => (byte)'L',
    };

    private static bool TryReadBucket(ReadOnlySpan<byte> state, Rule rule, long now, out long used, out CounterAnswer look, out CounterAnswer next)
    {
        var micros = Math.Max(0, Number(state[1..]) - now);
        var part = micros == 0 && Number(state[1..]) < now ? 0 : state[0] == (byte)'U' ? Number(state[25..]) : 0;
        var word = TokenBucket.StateOf(rule, now, (micros * rule.EmissionDenominator) + part);
        used = TokenBucket.Used(rule, word, now);
        var fits = TokenBucket.Decide(rule, word, now, 1, out _).IsAllowed;
        look = CounterAnswer.Of(rule, now, 1, micros, part);
        next = CounterAnswer.Of(rule, now, fits ? 1 : 0, micros, part);
        return used > 0;
    }

    private static bool TryReadWindow(ReadOnlySpan<byte> state, Rule rule, long now, out long used, out CounterAnswer look, out CounterAnswer next)
    {
        var (start, stop) = (Number(state[1..]), Number(state[9..]));
        used = now < stop ? Number(state[17..]) : 0;
        look = CounterAnswer.Of(rule, now, 1, start, used);
        next = CounterAnswer.Of(rule, now, used < rule.Permits ? 1 : 0, start, used);
        return used > 0;
    }

    private static bool TryReadCounts(ReadOnlySpan<byte> state, Rule rule, long now, out long used, out CounterAnswer look, out CounterAnswer next)
    {
        var (start, previous, own) = (Number(state[9..]), Number(state[17..]), Number(state[25..]));
        var word = SlidingCounter.StateOf(rule, start, previous, own);
        used = SlidingCounter.Used(rule, word, now);
        var fits = SlidingCounter.Decide(rule, word, now, 1, out _).IsAllowed;
        // The script brings the counts up to the present window before it answers with them.
        (start, previous, own) = KnownUse.CountsAt(rule, (start, previous, own), now);
        look = CounterAnswer.Of(rule, now, 1, start, previous, own);
        next = CounterAnswer.Of(rule, now, fits ? 1 : 0, start, previous, own);
        return used > 0;
    }

    private static bool TryReadLog(ReadOnlySpan<byte> state, Rule rule, long now, out long used, out CounterAnswer look, out CounterAnswer next)
    {
        used = 0;
        long newest = 0;
        var horizon = now - rule.WindowMicros;
        for (var at = LogHead; at < state.Length; at += LogEntry)
        {
            newest = Number(state[at..]);
            if (newest > horizon)
                used += BinaryPrimitives.ReadUInt32LittleEndian(state[(at + 8)..]);
        }
        // The instant at which the oldest of those that stand in the way come back.
        var (sum, fitsAt) = (used, now);
        for (var at = LogHead; at < state.Length && sum >= rule.Permits; at += LogEntry)
        {
            var instant = Number(state[at..]);
            if (instant <= horizon)
                continue;
            sum -= BinaryPrimitives.ReadUInt32LittleEndian(state[(at + 8)..]);
            fitsAt = instant + rule.WindowMicros;
        }
        look = CounterAnswer.Of(rule, now, 1, used, newest);
        next = CounterAnswer.Of(rule, now, used < rule.Permits ? 1 : 0, used, newest, fitsAt);
        return used > 0;
    }

    private static bool TryReadLeases(ReadOnlySpan<byte> state, Rule rule, long now, out long used, out CounterAnswer look, out CounterAnswer next)
    {
        used = 0;
        var emptyAt = now;
        for (var at = LeaseHead; at < state.Length; at += Lease)
        {
            if (Number(state[(at + 8)..]) <= now)
                continue;
            used += BinaryPrimitives.ReadUInt32LittleEndian(state[(at + 16)..]);
            emptyAt = Number(state[(at + 8)..]);
        }
        var (held, fitsAt) = (used, now);
        for (var at = LeaseHead; at < state.Length && held >= rule.Permits; at += Lease)
        {
            if (Number(state[(at + 8)..]) <= now)
                continue;
            held -= BinaryPrimitives.ReadUInt32LittleEndian(state[(at + 16)..]);
            fitsAt = Number(state[(at + 8)..]);
        }
        look = CounterAnswer.Of(rule, now, 1, used, 0, emptyAt);
        next = CounterAnswer.Of(rule, now, used < rule.Permits ? 1 : 0, used, 0, emptyAt, fitsAt);
        return used > 0;
    }

    private static long Number(ReadOnlySpan<byte> bytes) => (long)BinaryPrimitives.ReadDoubleLittleEndian(bytes);
}
