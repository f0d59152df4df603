using Microsoft.Extensions.Logging;
using Weir.Server.Logging;
using Weir.TestKit;

namespace Weir.Server.Tests.Logging;

public sealed class LineFormatterTests
{
    private readonly Logged _log = new(new LineFormatter(new ManualTimeProvider(new DateTimeOffset(2026, 11, 20, 18, 0, 0, 123, TimeSpan.FromHours(1)))));

    [Theory]
    [InlineData(LogLevel.Trace, "trace")]
    [InlineData(LogLevel.Debug, "debug")]
    [InlineData(LogLevel.Information, "info ")]
    [InlineData(LogLevel.Warning, "warn ")]
    [InlineData(LogLevel.Error, "error")]
    [InlineData(LogLevel.Critical, "fatal")]
    public void Write_BeginsWithTimeLevelAndCategory(LogLevel level, string name)
    {
        _log.Log(level, "Listening on {Address}", "http://localhost:8000");

        Assert.Equal($"2026-11-20T17:00:00.123Z {name} Weir.Server.Node: Listening on http://localhost:8000\n", _log.Text);
    }

    [Fact]
    public void Write_AppendsFieldsThatTheMessageDoesNotShow()
    {
        KeyValuePair<string, object?>[] state =
        [
            new("Node", "a"), new("Port", 8000), new("Took", 1.5), new("Why", "two words"), new("None", null), new("{OriginalFormat}", "Started {Node}"),
        ];

        _log.Log(LogLevel.Information, default, state, null, static (_, _) => "Started a");

        Assert.EndsWith("Node: Started a Port=8000 Took=1.5 Why=\"two words\" None=\"\"\n", _log.Text);
    }

    [Fact]
    public void Write_AFormattedField_IsNotRepeated()
    {
        _log.LogInformation("Took {Millis:N1} of {Limit,5}", 1234.56, 7);

        Assert.EndsWith("Node: Took 1,234.6 of     7\n", _log.Text);
    }

    [Fact]
    public void Write_AnException_StaysOnTheLine()
    {
        _log.LogError(new InvalidOperationException("first \"line\"\r\nsecond"), "It failed");

        Assert.Equal(1, _log.Text.Count(c => c == '\n'));
        Assert.DoesNotContain('\r', _log.Text);
        Assert.EndsWith("It failed exception=\"System.InvalidOperationException: first \\\"line\\\"\\r\\nsecond\"\n", _log.Text);
    }

    [Fact]
    public void Write_ControlCharactersFromStrangers_AreEscaped()
    {
        _log.LogWarning("Refused {Key}", "a\n2026-11-20T17:00:00.000Z info  forged\u001b[2J\u2028é");

        Assert.EndsWith("Refused a\\n2026-11-20T17:00:00.000Z info  forged\\u001b[2J\\u2028é\n", _log.Text);
        Assert.Equal(1, _log.Text.Count(c => c == '\n'));
    }
}
