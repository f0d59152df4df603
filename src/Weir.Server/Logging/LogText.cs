using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Weir.Server.Logging;

/// <summary>What both formats share: how times and levels are written, and how texts are kept on one line.</summary>
internal static class LogText
{
    /// <summary>The time as RFC 3339 in UTC with milliseconds.</summary>
    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>The name of a level, as <c>RATELIMITER_LOG_LEVEL</c> writes it.</summary>
    public static string Level(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "error",
        _ => "fatal",
    };

    /// <summary>A value as text, independent of the machine's culture.</summary>
    public static string Of(object? value) => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";

    /// <summary>
    /// Appends a text with line breaks and other control characters escaped. A value that a stranger chose can then neither forge an
    /// entry nor steer a terminal.
    /// </summary>
    public static void AppendEscaped(StringBuilder line, ReadOnlySpan<char> text, bool quoted)
    {
        foreach (var c in text)
        {
            switch (c)
            {
                case '\n':
                    line.Append("\\n");
                    break;
                case '\r':
                    line.Append("\\r");
                    break;
                case '\t':
                    line.Append("\\t");
                    break;
                case '"' or '\\' when quoted:
                    line.Append('\\').Append(c);
                    break;
                case '\u2028' or '\u2029':
                case var _ when char.IsControl(c):
                    line.Append($"\\u{(int)c:x4}");
                    break;
                default:
                    line.Append(c);
                    break;
            }
        }
    }
}
