using Weir.LoadGen.Configuration;

namespace Weir.LoadGen.Tests.Configuration;

public sealed class TimesTests
{
    [Theory]
    [InlineData("30", 30)]
    [InlineData("0.5", 0.5)]
    [InlineData("0", 0)]
    [InlineData("30s", 30)]
    [InlineData("250ms", 0.25)]
    [InlineData("1m30s", 90)]
    [InlineData("1.5m", 90)]
    [InlineData("2H", 7_200)]
    [InlineData("7d", 604_800)]
    [InlineData("5us", 0.000005)]
    public void TryParse_OfADuration_IsSeconds(string text, double seconds) => Assert.Equal(seconds, Times.TryParse(text)!.Value, 9);

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("-5")]
    [InlineData("s")]
    [InlineData("5 minutes")]
    [InlineData("1e9")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("1.2.3s")]
    public void TryParse_OfSomethingElse_IsNull(string text) => Assert.Null(Times.TryParse(text));

    [Theory]
    [InlineData(0, "0s")]
    [InlineData(0.25, "250ms")]
    [InlineData(0.0005, "500us")]
    [InlineData(1.25, "1.25s")]
    [InlineData(90, "1m30s")]
    [InlineData(3_600, "1h")]
    [InlineData(90_061, "1d1h1m1s")]
    public void Format_IsReadAgain(double seconds, string text)
    {
        Assert.Equal(text, Times.Format(seconds));
        Assert.Equal(seconds, Times.TryParse(text)!.Value, 9);
    }
}
