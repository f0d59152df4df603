using Weir.TestKit.Redis;

namespace Weir.Resp.Tests.Protocol;

public class RespScannerTests
{
    private const int Seed = 20_260_131;

    public static TheoryData<string> Wellformed => [.. Replies.Wellformed];

    [Theory]
    [MemberData(nameof(Wellformed))]
    public void Scan_SplitAtEveryByte_IsTheSame(string reply) => AssertSplits(Replies.Bytes(reply + "+next\r\n"), reply.Length);

    [Fact]
    public void Scan_ManyRepliesByteByByte_FindsEachEnd()
    {
        var bytes = Replies.Bytes(string.Concat(Replies.Wellformed));
        var scanner = new RespScanner(RespLimits.Default);
        var (start, found) = (0, 0);
        for (var end = 1; end <= bytes.Length; end++)
        {
            if (!scanner.TryScan(bytes.AsSpan(start, end - start), out var length))
                continue;
            Assert.Equal(Replies.Wellformed[found++].Length, length);
            start += length;
        }
        Assert.Equal(Replies.Wellformed.Length, found);
    }

    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\r\n")]
    [InlineData("\r\n")]
    [InlineData("\u0015\u0003\u0001")]
    [InlineData("+a\nb\r\n")]
    [InlineData("+a\rb\r\n")]
    [InlineData(":\r\n")]
    [InlineData(":1.5\r\n")]
    [InlineData(":-\r\n")]
    [InlineData(":++1\r\n")]
    [InlineData(":9223372036854775808\r\n")]
    [InlineData(": 1\r\n")]
    [InlineData("$\r\n")]
    [InlineData("$-2\r\n")]
    [InlineData("$+1\r\nx\r\n")]
    [InlineData("$1x\r\n")]
    [InlineData("$1\r\nxy\r\n")]
    [InlineData("$1\r\nx\r\r")]
    [InlineData("$?\r\n")]
    [InlineData("$99999999999\r\n")]
    [InlineData("*-2\r\n")]
    [InlineData("*?\r\n")]
    [InlineData("%-1\r\n")]
    [InlineData("*1\r\nx")]
    [InlineData("*1\r\n>0\r\n")]
    [InlineData("#x\r\n")]
    [InlineData("#tt\r\n")]
    [InlineData("_x\r\n")]
    [InlineData(",\r\n")]
    [InlineData(",1.5x\r\n")]
    [InlineData(",NaN\r\n")]
    [InlineData("(1.5\r\n")]
    [InlineData("(\r\n")]
    [InlineData("=3\r\ntxt\r\n")]
    [InlineData("=5\r\ntxtxx\r\n")]
    public void Scan_WhenMalformed_Throws(string reply)
    {
        Assert.Throws<RespProtocolException>(() => Replies.Scan(Replies.Bytes(reply)));
        Assert.ThrowsAny<Exception>(() => PlainReply.Read(new MemoryStream(Replies.Bytes(reply))));
    }

    [Fact]
    public void Scan_BeyondLimits_ThrowsBeforeTheBytesArrive()
    {
        var limits = new RespLimits { MaxReplyBytes = 2000, MaxLineBytes = 100, MaxElements = 10, MaxDepth = 3 };
        Assert.NotNull(Replies.Scan(Replies.Bytes("*10\r\n" + string.Concat(Enumerable.Repeat(":1\r\n", 10))), limits));
        Assert.NotNull(Replies.Scan(Replies.Bytes("*1\r\n*1\r\n*1\r\n:1\r\n"), limits));
        Assert.NotNull(Replies.Scan(Replies.Bytes("+" + new string('x', 99) + "\r\n"), limits));
        AssertRefused("$2001\r\n", limits);
        AssertRefused("*11\r\n", limits);
        AssertRefused("%6\r\n", limits);
        AssertRefused("*1\r\n*1\r\n*1\r\n*1\r\n", limits);
        AssertRefused("+" + new string('x', 100), limits);
        AssertRefused("*3\r\n$900\r\n" + new string('x', 900) + "\r\n$900\r\n" + new string('x', 900) + "\r\n$900\r\n", limits);
    }

    [Fact]
    public void Fuzz_RandomReplies_AreReadAsByThePlainParser()
    {
        var random = new Random(Seed);
        for (var i = 0; i < 3_000; i++)
        {
            var reply = Replies.Random(random);
            var bytes = Replies.Bytes(reply + Replies.Random(random));
            var scanned = Replies.Scan(bytes);
            Assert.Equal(reply.Length, scanned?.Length);
            Assert.Equal(PlainReply.Read(new MemoryStream(bytes)).ToString(), scanned?.Reply.ToString());
            if (i % 20 == 0)
                AssertSplits(bytes, reply.Length);
        }
    }

    [Fact]
    public void Fuzz_MutatedReplies_AreRefusedExactlyWhenThePlainParserDoes()
    {
        var random = new Random(Seed + 1);
        var (refused, read, unfinished) = (0, 0, 0);
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = Mutate(Replies.Bytes(Replies.Random(random)), random);
            var expected = Plain(bytes);
            var actual = Scanned(bytes);
            Assert.True(expected == actual, $"Mutation {i}: expected {expected}, got {actual}, for {Convert.ToHexString(bytes)}");
            _ = expected switch { "refused" => refused++, "unfinished" => unfinished++, _ => read++ };
        }
        Assert.All([refused, read, unfinished], count => Assert.True(count > 500, $"{refused} refused, {read} read, {unfinished} unfinished"));
    }

    private static void AssertSplits(byte[] bytes, int length)
    {
        var whole = Replies.Tree(bytes.AsSpan(0, length)).ToString();
        for (var split = 0; split < length; split++)
        {
            var scanner = new RespScanner(RespLimits.Default);
            Assert.False(scanner.TryScan(bytes.AsSpan(0, split), out _));
            Assert.True(scanner.TryScan(bytes, out var found));
            Assert.Equal(length, found);
        }
        Assert.Equal(PlainReply.Read(new MemoryStream(bytes)).ToString(), whole);
    }

    private static void AssertRefused(string reply, RespLimits limits) =>
        Assert.Throws<RespProtocolException>(() => Replies.Scan(Replies.Bytes(reply), limits));

    private static string Plain(byte[] bytes)
    {
        try
        {
            return PlainReply.Read(new MemoryStream(bytes)).ToString();
        }
        catch (EndOfStreamException)
        {
            return "unfinished";
        }
        catch (FormatException)
        {
            return "refused";
        }
    }

    private static string Scanned(byte[] bytes)
    {
        try
        {
            return Replies.Scan(bytes, new RespLimits { MaxDepth = 32, MaxReplyBytes = RespLimits.MostReplyBytes })?.Reply.ToString() ?? "unfinished";
        }
        catch (RespProtocolException e)
        {
            // The plain parser has no limits; it waits for what will never come.
            return e.Message.Contains("announces", StringComparison.Ordinal) ? "unfinished" : "refused";
        }
    }

    private static byte[] Mutate(byte[] bytes, Random random)
    {
        const string Likely = "+-:$*_#,(!=%~>|\r\n0123456789";
        var mutated = bytes.ToList();
        for (var i = random.Next(3); i >= 0; i--)
        {
            var at = random.Next(mutated.Count + 1);
            var value = (byte)Likely[random.Next(Likely.Length)];
            if (random.Next(3) == 0 || at == mutated.Count)
                mutated.Insert(at, value);
            else if (random.Next(2) == 0)
                mutated[at] = value;
            else
                mutated.RemoveAt(at);
        }
        return [.. mutated];
    }
}
