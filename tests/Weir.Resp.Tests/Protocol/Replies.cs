using System.Globalization;
using System.Text;
using Weir.TestKit.Redis;

namespace Weir.Resp.Tests.Protocol;

/// <summary>Makes replies, and reads them with the client's scanner and reader into the tree that the plain parser makes.</summary>
internal static class Replies
{
    /// <summary>One of every type, and the shapes that are easy to get wrong.</summary>
    public static readonly string[] Wellformed =
    [
        "+OK\r\n", "+\r\n", "-ERR no\r\n", ":0\r\n", ":-9223372036854775808\r\n", ":9223372036854775807\r\n", ":+5\r\n",
        "$0\r\n\r\n", "$-1\r\n", "$5\r\nhello\r\n", "$4\r\n\r\n\r\n\r\n", "$3\r\n+-:\r\n", "*0\r\n", "*-1\r\n", "*1\r\n*1\r\n*0\r\n", "*3\r\n:1\r\n$-1\r\n+x\r\n",
        "_\r\n", "#t\r\n", "#f\r\n", ",1.5\r\n", ",-1e10\r\n", ",inf\r\n", ",-inf\r\n", ",nan\r\n", ",10\r\n", "(123456789012345678901234567890\r\n", "(-1\r\n",
        "!5\r\nERR x\r\n", "!0\r\n\r\n", "=4\r\ntxt:\r\n", "=15\r\ntxt:Some string\r\n", "%0\r\n", "%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n:2\r\n", "~2\r\n:1\r\n:2\r\n",
        ">2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n", ">0\r\n", "|1\r\n+ttl\r\n:3\r\n$1\r\nx\r\n", "|0\r\n:1\r\n", "*2\r\n|1\r\n+a\r\n%1\r\n+b\r\n+c\r\n:1\r\n:2\r\n",
        "|1\r\n|1\r\n+x\r\n+y\r\n+a\r\n+b\r\n*2\r\n:7\r\n|0\r\n_\r\n",
    ];

    /// <summary>Replies of random shape, values and types.</summary>
    public static string Random(Random random, int depth = 4)
    {
        var kind = random.Next(depth > 0 ? 16 : 10);
        var n = random.Next(4);
        return kind switch
        {
            0 => $"+{Word(random)}\r\n",
            1 => $"-{Word(random)}\r\n",
            2 => $":{random.NextInt64(long.MinValue, long.MaxValue)}\r\n",
            3 => $"#{(random.Next(2) == 0 ? 't' : 'f')}\r\n",
            4 => string.Create(CultureInfo.InvariantCulture, $",{(random.NextDouble() - 0.5) * 1000}\r\n"),
            5 => random.Next(3) switch { 0 => "$-1\r\n", 1 => "*-1\r\n", _ => "_\r\n" },
            6 => $"({random.NextInt64()}{random.NextInt64()}\r\n",
            7 => Bulk('=', "txt:" + Bytes(random)),
            8 => Bulk('!', Bytes(random)),
            9 => Bulk('$', Bytes(random)),
            10 => $"%{n}\r\n{Many(random, 2 * n, depth)}",
            11 => $"~{n}\r\n{Many(random, n, depth)}",
            12 => $"|{n}\r\n{Many(random, (2 * n) + 1, depth)}",
            _ => $"*{n}\r\n{Many(random, n, depth)}",
        };
    }

    public static byte[] Bytes(string latin1) => Encoding.Latin1.GetBytes(latin1);

    /// <summary>The first reply as the client reads it, and its length; null when it needs more bytes.</summary>
    public static (PlainReply Reply, int Length)? Scan(ReadOnlySpan<byte> bytes, RespLimits? limits = null)
    {
        var scanner = new RespScanner(limits ?? RespLimits.Default);
        return scanner.TryScan(bytes, out var length) ? (Tree(bytes[..length]), length) : null;
    }

    /// <summary>The tree of one whole reply, and that it is whole.</summary>
    public static PlainReply Tree(ReadOnlySpan<byte> reply)
    {
        var reader = new RespReader(reply);
        Assert.True(reader.Read());
        var tree = Tree(ref reader);
        Assert.False(reader.Read());
        return tree;
    }

    private static PlainReply Tree(ref RespReader reader)
    {
        var type = (char)reader.Type;
        var text = Encoding.Latin1.GetString(reader.Bytes);
        var items = new List<PlainReply>();
        for (var due = reader.Count; due > 0; due--)
        {
            Assert.True(reader.Read());
            items.Add(Tree(ref reader));
        }
        return new PlainReply(type, text, items);
    }

    private static string Many(Random random, int count, int depth) =>
        string.Concat(Enumerable.Range(0, count).Select(_ => Random(random, depth - 1)));

    private static string Bulk(char type, string payload) => $"{type}{payload.Length}\r\n{payload}\r\n";

    private static string Word(Random random) => new([.. Enumerable.Range(0, random.Next(12)).Select(_ => (char)random.Next(32, 127))]);

    private static string Bytes(Random random) => new([.. Enumerable.Range(0, random.Next(20)).Select(_ => (char)random.Next(256))]);
}
