namespace Weir.Redis;

/// <summary>What every reply of the script begins with.</summary>
/// <param name="Status">What became of the batch.</param>
/// <param name="NowMicros">The instant of the decisions.</param>
/// <param name="Birth">Names the data: changes when they were lost.</param>
/// <param name="Era">Changes when remembered refusals may have become untrue.</param>
/// <param name="OpenAtMicros">Until then only hints are taken.</param>
internal readonly record struct ReplyHeader(ReplyStatus Status, long NowMicros, long Birth, long Era, long OpenAtMicros)
{
    /// <summary>Bytes of a header.</summary>
    public const int Bytes = 33;

    public static ReplyHeader Read(ref AnswerReader reader) =>
        new((ReplyStatus)reader.Byte(), reader.Number(), reader.Number(), reader.Number(), reader.Number());
}

internal enum ReplyStatus : byte
{
    /// <summary>Done.</summary>
    Done = (byte)'K',

    /// <summary>Nothing was done: the estimate of the time was off.</summary>
    WrongTime = (byte)'G',

    /// <summary>Nothing was done: the node must send its hints first.</summary>
    HintsFirst = (byte)'S',
}
