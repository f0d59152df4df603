namespace Weir.Resp.Tests.Protocol;

public class RespReaderTests
{
    [Fact]
    public void Getters_ReadWhatFits()
    {
        Assert.Equal(-5, At(":-5\r\n").GetInt64());
        Assert.Equal(7, At("$1\r\n7\r\n").GetInt64());
        Assert.Equal(1.5, At(",1.5\r\n").GetDouble());
        Assert.Equal(double.NegativeInfinity, At(",-inf\r\n").GetDouble());
        Assert.Equal(3, At(":3\r\n").GetDouble());
        Assert.True(At("#t\r\n").GetBoolean());
        Assert.False(At(":0\r\n").GetBoolean());
        Assert.Equal("€", At("$3\r\n\u00e2\u0082\u00ac\r\n").GetString());
        Assert.Equal("Some", At("=8\r\ntxt:Some\r\n").GetString());
        Assert.Null(At("$-1\r\n").GetString());
        Assert.True(At("*-1\r\n").IsNull);
        Assert.True(At("_\r\n").IsNull);
    }

    [Fact]
    public void Getters_WhenTypeDiffers_SayWhatWasThere()
    {
        Assert.Contains("SimpleString", Assert.Throws<InvalidOperationException>(() => At("+x\r\n").GetInt64()).Message);
        Assert.Throws<InvalidOperationException>(() => At("*0\r\n").GetString());
        Assert.Throws<InvalidOperationException>(() => At("+x\r\n").GetDouble());
        Assert.Throws<InvalidOperationException>(() => At(":2\r\n").GetBoolean());
        Assert.Contains("Read", Assert.Throws<InvalidOperationException>(() => new RespReader(default).GetInt64()).Message);
        var error = Assert.Throws<RespServerException>(() => At("-MOVED 1 a:1\r\n").GetInt64());
        Assert.Equal((RespErrorKind.Moved, "MOVED 1 a:1"), (error.Kind, error.Message));
        Assert.Equal("ERR x", Assert.Throws<RespServerException>(() => At("!5\r\nERR x\r\n").GetString()).Message);
    }

    [Fact]
    public void Skip_GoesPastEverythingInside()
    {
        var reader = new RespReader(Replies.Bytes("*3\r\n%1\r\n+a\r\n*2\r\n:1\r\n|1\r\n+x\r\n+y\r\n:2\r\n:3\r\n+end\r\n"));
        Assert.True(reader.Read());
        Assert.Equal(3, reader.Count);
        Assert.True(reader.Read());
        Assert.Equal((RespType.Map, 2), (reader.Type, reader.Count));
        reader.Skip();
        Assert.True(reader.Read());
        Assert.Equal(3, reader.GetInt64());
        Assert.True(reader.Read());
        Assert.Equal("end", reader.GetString());
        Assert.False(reader.Read());
    }

    [Theory]
    [InlineData("$5\r\nhel")]
    [InlineData("$5\r\nhello")]
    [InlineData("$99999\r\nhello\r\n")]
    [InlineData("*2000000000\r\n")]
    [InlineData("+OK")]
    [InlineData("\r\n")]
    [InlineData("xOK\r\n")]
    [InlineData("|5\r\n+a\r\n")]
    public void Read_OfBytesThatNobodyChecked_ThrowsRatherThanReadsBeyond(string reply) =>
        Assert.Throws<RespProtocolException>(() => At(reply));

    private static RespReader At(string reply)
    {
        var reader = new RespReader(Replies.Bytes(reply));
        Assert.True(reader.Read());
        return reader;
    }
}
