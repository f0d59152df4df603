using System.Text.Json;
using Microsoft.Extensions.Logging;
using Weir.Server.Logging;
using Weir.TestKit;

namespace Weir.Server.Tests.Logging;

public sealed class JsonFormatterTests
{
    private readonly Logged _log = new(new JsonFormatter(new ManualTimeProvider(new DateTimeOffset(2026, 11, 20, 17, 0, 0, 123, TimeSpan.Zero))));

    [Fact]
    public void Write_IsOneObjectPerLine()
    {
        _log.LogInformation("Listening on {Address} as {Node}, {Count} {Ok}", "http://é<:8000", "a\nb", 12L, true);
        _log.LogWarning("Second");

        var lines = _log.Text.TrimEnd('\n').Split('\n');
        Assert.Equal(
            "{\"time\":\"2026-11-20T17:00:00.123Z\",\"level\":\"info\",\"category\":\"Weir.Server.Node\"," +
            "\"message\":\"Listening on http://é<:8000 as a\\nb, 12 True\",\"Address\":\"http://é<:8000\",\"Node\":\"a\\nb\",\"Count\":12,\"Ok\":true}",
            lines[0]);
        Assert.Equal("warn", JsonDocument.Parse(lines[1]).RootElement.GetProperty("level").GetString());
    }

    [Fact]
    public void Write_AnException_IsAField()
    {
        _log.LogError(new InvalidOperationException("first\nsecond"), "It failed");

        var entry = JsonDocument.Parse(_log.Text).RootElement;
        Assert.Equal("It failed", entry.GetProperty("message").GetString());
        Assert.Equal("System.InvalidOperationException: first\nsecond", entry.GetProperty("exception").GetString());
        Assert.Equal(1, _log.Text.Count(c => c == '\n'));
    }

    [Fact]
    public void Write_AFieldCalledLikeOurs_DoesNotReplaceIt()
    {
        KeyValuePair<string, object?>[] state = [new("level", "mine"), new("time", 7), new("level", "again")];

        _log.Log(LogLevel.Information, default, state, null, static (_, _) => "Hello");

        var entry = JsonDocument.Parse(_log.Text).RootElement;
        Assert.Equal("info", entry.GetProperty("level").GetString());
        Assert.Equal("mine", entry.GetProperty("_level").GetString());
        Assert.Equal(7, entry.GetProperty("_time").GetInt32());
        Assert.Equal(entry.EnumerateObject().Count(), entry.EnumerateObject().Select(p => p.Name).Distinct().Count());
    }

    [Fact]
    public void Write_OddValues_StayJson()
    {
        _log.LogInformation("{A} {B} {C} {D} {E}", null, double.NaN, 1.5, TimeSpan.FromSeconds(1), ulong.MaxValue);

        var entry = JsonDocument.Parse(_log.Text).RootElement;
        Assert.Equal(JsonValueKind.Null, entry.GetProperty("A").ValueKind);
        Assert.Equal("NaN", entry.GetProperty("B").GetString());
        Assert.Equal(1.5, entry.GetProperty("C").GetDouble());
        Assert.Equal("00:00:01", entry.GetProperty("D").GetString());
        Assert.Equal("18446744073709551615", entry.GetProperty("E").GetString());
    }
}
