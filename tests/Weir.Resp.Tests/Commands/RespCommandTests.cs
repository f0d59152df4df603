using System.Text;

namespace Weir.Resp.Tests.Commands;

public class RespCommandTests
{
    private delegate void Writing(ref RespCommandWriter writer);

    [Fact]
    public void Write_EncodesEveryKindOfArgument()
    {
        var encoded = Encode((ref w) =>
        {
            w.Begin(6);
            w.Write("SET"u8);
            w.Write("schlüssel");
            w.Write(long.MinValue);
            w.Write(ReadOnlySpan<byte>.Empty);
            w.Write(new string('é', 300));
            "ab"u8.CopyTo(w.Reserve(2));
        });
        Assert.Equal(
            $"*6\r\n$3\r\nSET\r\n$10\r\nschlüssel\r\n$20\r\n-9223372036854775808\r\n$0\r\n\r\n$600\r\n{new string('é', 300)}\r\n$2\r\nab\r\n", encoded);
    }

    [Fact]
    public void Create_EncodesOnce()
    {
        Assert.Equal("*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n", Encode(RespCommand.Create("GET", "key").Write));
        ReadOnlyMemory<byte>[] arguments = ["GET"u8.ToArray(), new byte[] { 13, 10 }];
        Assert.Equal("*2\r\n$3\r\nGET\r\n$2\r\n\r\n\r\n", Encode(RespCommand.Create(arguments).Write));
        Assert.Throws<ArgumentOutOfRangeException>(() => RespCommand.Create(ReadOnlySpan<string>.Empty));
    }

    [Fact]
    public void Write_WhenArgumentsDoNotMatch_Throws()
    {
        Assert.Throws<InvalidOperationException>(() => Encode((ref w) => { }));
        Assert.Throws<InvalidOperationException>(() => Encode((ref w) => w.Begin(1)));
        Assert.Throws<InvalidOperationException>(() => Encode((ref w) => { w.Begin(1); w.Write("GET"u8); w.Write("k"u8); }));
        Assert.Throws<InvalidOperationException>(() => Encode((ref w) => w.Write("GET"u8)));
        Assert.Throws<InvalidOperationException>(() => Encode((ref w) => { w.Begin(1); w.Write("PING"u8); w.Begin(1); }));
        Assert.Throws<InvalidOperationException>(() => Encode((ref w) => { w.Begin(1); w.Reserve(4); }));
        Assert.Throws<ArgumentOutOfRangeException>(() => Encode((ref w) => w.Begin(0)));
    }

    [Theory]
    [InlineData("SUBSCRIBE", "x")]
    [InlineData("psubscribe", "x")]
    [InlineData("SSubscribe", "x")]
    [InlineData("UNSUBSCRIBE", "x")]
    [InlineData("PUNSUBSCRIBE", "x")]
    [InlineData("MONITOR", "x")]
    [InlineData("SYNC", "x")]
    [InlineData("PSYNC", "x")]
    [InlineData("client", "Reply")]
    public void Write_OfCommandsThatBreakTheOrderOfReplies_Throws(string name, string second)
    {
        Assert.Throws<InvalidOperationException>(() => RespCommand.Create(name, second));
        Assert.Throws<InvalidOperationException>(() => Encode((ref w) => { w.Begin(2); w.Write(Encoding.ASCII.GetBytes(name)); w.Write(second); }));
    }

    [Fact]
    public void Write_OfNamesThatOnlyLookSo_IsAllowed()
    {
        RespCommand.Create("CLIENT", "ID");
        RespCommand.Create("GET", "REPLY");
        RespCommand.Create("EVALSHA", "REPLY", "0");
    }

    private static string Encode(Writing write)
    {
        var buffer = new SendBuffer();
        var writer = new RespCommandWriter(buffer);
        write(ref writer);
        writer.ThrowIfIncomplete();
        return Encoding.UTF8.GetString(buffer.Written.Span);
    }
}
