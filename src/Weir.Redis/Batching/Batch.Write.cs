using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;
using Weir.Resp;

namespace Weir.Redis;

/// <content>The batch as a command.</content>
internal sealed partial class Batch : IRespCommand
{
    private const int OperationBytes = 24;
    private const int SettleBytes = 17;
    private const int RenewBytes = 8;
    private const int HintBytes = 24;
    private const int GenerationsPerClass = 4;
    private const int MaxHeader = 18 + (16 * StorageClasses.Count);
    private const byte ExactFlag = 1;
    private const byte LookFlag = 2;
    private const byte PlainFlag = 4;
    private const int CostBytes = 4;
    private const int IdBytes = 16;

    private byte[] _recordName = [];
    private readonly byte[][] _classNames = new byte[StorageClasses.Count][];
    private readonly int[] _indexOfClass = new int[StorageClasses.Count];
    private readonly int[] _classes = new int[StorageClasses.Count];
    private int _classCount;
    private long _now;
    private long _newest;
    private long _birth;
    private byte _flags;

    /// <inheritdoc />
    public bool StaysInPlace { get; init; }

    /// <summary>Sends the script itself, for a server that does not have it.</summary>
    public bool WithText { get; set; }

    /// <summary>How many connections had been lost when the batch was sent.</summary>
    public int Losses { get; private set; }

    private bool _looksAtServer;

    /// <summary>Asks the script to find out which server it runs on, if a connection was lost since somebody last did.</summary>
    public void LookFor(int losses, int lookedAfter) => (Losses, _looksAtServer) = (losses, losses != lookedAfter);

    /// <summary>Says when the batch is about to be sent. Before every attempt.</summary>
    /// <param name="nowMicros">About what the server's clock shows; the newest instant seen counts, where it is later.</param>
    /// <param name="newestMicros">The newest instant that the node has seen, or in tests the instant.</param>
    /// <param name="birth">The data that the node knows; 0: none.</param>
    /// <param name="isExact">Whether <paramref name="newestMicros"/> is the instant of the decisions.</param>
    public void Prepare(long nowMicros, long newestMicros, long birth, bool isExact)
    {
        (_now, _newest, _birth) = (Math.Max(nowMicros, newestMicros), newestMicros, birth);
        _flags = (byte)((isExact ? ExactFlag : 0) | (_looksAtServer ? LookFlag : 0) | (IsPlain ? PlainFlag : 0));
        _classCount = 0;
        Array.Fill(_indexOfClass, -1);
        for (var i = 0; i < _ruleCount; i++)
        {
            IncludeClass(_rules[i].Class);
            for (var others = _rules[i].OtherClasses; others != 0; others &= others - 1)
                IncludeClass(System.Numerics.BitOperations.TrailingZeroCount(others));
        }
    }

    /// <inheritdoc />
    public void Write(ref RespCommandWriter writer)
    {
        var keys = 1 + (GenerationsPerClass * _classCount);
        var isPlain = (_flags & PlainFlag) != 0;
        writer.Begin(3 + keys + 3 + (isPlain ? _count : 0));
        writer.Write(WithText ? "EVAL"u8 : "EVALSHA"u8);
        writer.Write(WithText ? Script.Counters.Text : Script.Counters.Hash);
        writer.Write(keys);
        writer.Write(_recordName);
        for (var i = 0; i < _classCount; i++)
        {
            var generation = _now / StorageClasses.MicrosOf(_classes[i]);
            for (var offset = -2; offset < GenerationsPerClass - 2; offset++)
                WriteName(ref writer, _classNames[_classes[i]], generation + offset);
        }
        WriteHeader(ref writer);
        WriteRules(writer.Reserve(_ruleCount * WireRule.Bytes));
        if (isPlain)
            WritePlain(ref writer);
        else
            WriteOperations(writer.Reserve(OperationsLength()));
    }

    private bool IsPlain => _isPlain && _count > 0 && _ruleCount == 1 && _rules[0].OtherClasses == 0;

    private void WritePlain(ref RespCommandWriter writer)
    {
        var hasCounts = _decisions != _count;
        var head = writer.Reserve(CostBytes + (hasCounts ? sizeof(ushort) * _count : 0));
        BinaryPrimitives.WriteInt32LittleEndian(head, _entries[0].Cost);
        for (var i = 0; hasCounts && i < _count; i++)
            BinaryPrimitives.WriteUInt16LittleEndian(head[(CostBytes + (sizeof(ushort) * i))..], _entries[i].Count);
        for (var i = 0; i < _count; i++)
            WriteId(writer.Reserve(IdBytes), _entries[i].Id);
    }

    private void MakeNames()
    {
        _recordName = Encoding.ASCII.GetBytes(_keys.Record(_shard));
        for (var i = 0; i < _classNames.Length; i++)
            _classNames[i] = Encoding.ASCII.GetBytes(_keys.Counters(_shard, i));
    }

    private void IncludeClass(int storageClass)
    {
        if (_indexOfClass[storageClass] >= 0)
            return;
        _classes[_classCount] = storageClass;
        _indexOfClass[storageClass] = _classCount++;
    }

    private static void WriteName(ref RespCommandWriter writer, byte[] name, long generation)
    {
        Span<byte> digits = stackalloc byte[20];
        Utf8Formatter.TryFormat(generation, digits, out var length);
        var room = writer.Reserve(name.Length + length);
        name.CopyTo(room);
        digits[..length].CopyTo(room[name.Length..]);
    }

    private readonly byte[] _header = new byte[MaxHeader];

    private void WriteHeader(ref RespCommandWriter writer)
    {
        var header = _header.AsSpan();
        header[0] = _flags;
        BinaryPrimitives.WriteDoubleLittleEndian(header[1..], _newest);
        BinaryPrimitives.WriteDoubleLittleEndian(header[9..], _birth);
        header[17] = (byte)_classCount;
        for (var i = 0; i < _classCount; i++)
        {
            var length = StorageClasses.MicrosOf(_classes[i]);
            BinaryPrimitives.WriteDoubleLittleEndian(header[(18 + (16 * i))..], length);
            BinaryPrimitives.WriteDoubleLittleEndian(header[(26 + (16 * i))..], _now / length);
        }
        writer.Write(header[..(18 + (16 * _classCount))]);
    }

    private void WriteRules(Span<byte> target)
    {
        for (var i = 0; i < _ruleCount; i++)
        {
            var others = 0;
            for (var bits = _rules[i].OtherClasses; bits != 0; bits &= bits - 1)
            {
                // A class that came into use only just now is not among the keys; the next batch looks there.
                var index = _indexOfClass[System.Numerics.BitOperations.TrailingZeroCount(bits)];
                others |= index < 0 ? 0 : 1 << index;
            }
            _rules[i].Write(target[(i * WireRule.Bytes)..], _indexOfClass[_rules[i].Class], others, _now);
        }
    }

    private int OperationsLength()
    {
        var length = 0;
        for (var i = 0; i < _count; i++)
        {
            length += OperationBytes + _entries[i].Kind switch
            {
                OperationKind.Settle => SettleBytes,
                OperationKind.Renew => RenewBytes,
                OperationKind.Hint => HintBytes,
                _ => 0,
            };
        }
        return length;
    }

    private void WriteOperations(Span<byte> target)
    {
        for (var i = 0; i < _count; i++)
        {
            ref readonly var entry = ref _entries[i];
            target[0] = (byte)entry.Kind;
            target[1] = entry.Rule;
            BinaryPrimitives.WriteUInt16LittleEndian(target[2..], entry.Count);
            BinaryPrimitives.WriteInt32LittleEndian(target[4..], entry.Cost);
            WriteId(target[8..], entry.Id);
            target = WriteMore(target[OperationBytes..], entry);
        }
    }

    private static Span<byte> WriteMore(Span<byte> target, in Entry entry)
    {
        switch (entry.Kind)
        {
            case OperationKind.Settle:
                BinaryPrimitives.WriteDoubleLittleEndian(target, entry.A);
                target[8] = (byte)entry.B;
                BinaryPrimitives.WriteDoubleLittleEndian(target[9..], entry.C);
                return target[SettleBytes..];
            case OperationKind.Renew:
                BinaryPrimitives.WriteDoubleLittleEndian(target, entry.C);
                return target[RenewBytes..];
            case OperationKind.Hint:
                BinaryPrimitives.WriteDoubleLittleEndian(target, entry.A);
                BinaryPrimitives.WriteDoubleLittleEndian(target[8..], entry.B);
                BinaryPrimitives.WriteDoubleLittleEndian(target[16..], entry.C);
                return target[HintBytes..];
            default:
                return target;
        }
    }

    /// <summary>A counter's identity as the hashes' fields have it.</summary>
    internal static void WriteId(Span<byte> target, CounterId id)
    {
        BinaryPrimitives.WriteUInt64BigEndian(target, id.High);
        BinaryPrimitives.WriteUInt64BigEndian(target[8..], id.Low);
    }

    internal static CounterId ReadId(ReadOnlySpan<byte> source) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(source), BinaryPrimitives.ReadUInt64BigEndian(source[8..]));
}
