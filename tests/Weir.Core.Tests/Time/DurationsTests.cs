namespace Weir.Core.Tests.Time;

public class DurationsTests
{
    [Theory]
    [InlineData("0s", 0)]
    [InlineData("1us", 1)]
    [InlineData("500ms", 500_000)]
    [InlineData("30s", 30_000_000)]
    [InlineData("10m", 600_000_000)]
    [InlineData("1h30m", 5_400_000_000)]
    [InlineData("7d", 604_800_000_000)]
    [InlineData("1d2h3m4s5ms6us", 93_784_005_006)]
    [InlineData("90m", 5_400_000_000)]
    public void Reads(string text, long micros)
    {
        Assert.True(Durations.TryParse(text, out var read));
        Assert.Equal(micros, read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("s")]
    [InlineData("1.5h")]
    [InlineData("-1s")]
    [InlineData("+1s")]
    [InlineData("1 s")]
    [InlineData(" 1s")]
    [InlineData("1s ")]
    [InlineData("1w")]
    [InlineData("1S")]
    [InlineData("1s5")]
    [InlineData("٣s")]
    [InlineData("9223372036854775807d")]
    [InlineData("9223372036854775808us")]
    [InlineData("9223372036854775807us1us")]
    public void RefusesToRead(string text) => Assert.False(Durations.TryParse(text, out _));

    [Fact]
    public void WhatIsWritten_IsReadAgain()
    {
        var random = new Random(5);
        foreach (var micros in Enumerable.Range(0, 2_000).Select(_ => random.NextInt64(1L << random.Next(1, 63))).Append(long.MaxValue).Append(0))
        {
            Assert.True(Durations.TryParse(Durations.Format(micros), out var read), Durations.Format(micros));
            Assert.Equal(micros, read);
        }
    }

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(60_000_000, "1m")]
    [InlineData(5_400_000_000, "1h30m")]
    [InlineData(1_001, "1ms1us")]
    [InlineData(31_622_400_000_000, "366d")]
    public void Writes_LargestUnitsFirst(long micros, string text) => Assert.Equal(text, Durations.Format(micros));
}
