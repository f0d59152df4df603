using System.Buffers.Binary;

namespace Weir.Redis;

/// <summary>A rule as the script gets it. Made once per rule.</summary>
internal sealed class WireRule
{
    private const int Parameters = 7;

    /// <summary>Length of a rule on the wire.</summary>
    public const int Bytes = 3 + (Parameters * sizeof(double));

    private readonly double[] _parameters;
    private readonly RulePath _path;

    public WireRule(Rule rule, RulePath path)
    {
        Rule = rule;
        Class = StorageClasses.Of(rule);
        _path = path;
        path.Uses(Class);
        _parameters = rule.Algorithm == AlgorithmKind.TokenBucket ? Bucket(rule) : [rule.Permits, rule.Calendar is null ? rule.WindowMicros : 0, 0, 0, 0, 0, 0];
    }

    public Rule Rule { get; }

    /// <summary>Where the rule's counters are kept.</summary>
    public int Class { get; }

    /// <summary>The other classes, as bits, in which counters of the rule may still be from before it was changed.</summary>
    public int OtherClasses => _path.Classes & ~(1 << Class);

    /// <summary>Writes the rule.</summary>
    /// <param name="target">Room for <see cref="Bytes"/>.</param>
    /// <param name="index">The index, within the batch, of the rule's class.</param>
    /// <param name="others">The indexes, as bits, of the other classes.</param>
    /// <param name="nowMicros">About when it is; calendar windows are worked out from there.</param>
    public void Write(Span<byte> target, int index, int others, long nowMicros)
    {
        target[0] = Rule.Algorithm switch
        {
            AlgorithmKind.TokenBucket => 1,
            AlgorithmKind.FixedWindow => 2,
            AlgorithmKind.SlidingCounter => 3,
            AlgorithmKind.SlidingWindow => 4,
            _ => 5,
        };
        target[1] = (byte)index;
        target[2] = (byte)others;
        target = target[3..];
        for (var i = 0; i < Parameters; i++)
            BinaryPrimitives.WriteDoubleLittleEndian(target[(8 * i)..], _parameters[i]);
        if (Rule.Calendar is { } calendar)
            WriteWindows(target, calendar, nowMicros);
    }

    private static void WriteWindows(Span<byte> target, CalendarWindows calendar, long nowMicros)
    {
        var (start, end) = calendar.At(nowMicros);
        BinaryPrimitives.WriteDoubleLittleEndian(target[16..], start);
        BinaryPrimitives.WriteDoubleLittleEndian(target[24..], end);
        // Asked for last windows first, because the calendar keeps the last answer.
        var next = calendar.At(end).End;
        _ = calendar.At(nowMicros);
        BinaryPrimitives.WriteDoubleLittleEndian(target[32..], next);
    }

    private static double[] Bucket(Rule rule)
    {
        if (rule.Permits == 0)
            return [0, 0, 1, 0, 0, 0, rule.WindowMicros];
        var (q, r) = Math.DivRem(rule.EmissionNumerator, rule.EmissionDenominator);
        var (depth, part) = Math.DivRem(rule.Burst * rule.EmissionNumerator, rule.EmissionDenominator);
        return [q, r, rule.EmissionDenominator, depth, part, rule.Burst, rule.WindowMicros];
    }
}

/// <summary>
/// The place of a rule in its domain, whose counters survive a change of the rule: knows in which classes rules of this place have kept counters. Thread safe.
/// </summary>
internal sealed class RulePath
{
    private int _classes;

    public int Classes => Volatile.Read(ref _classes);

    public void Uses(int storageClass) => Interlocked.Or(ref _classes, 1 << storageClass);
}
