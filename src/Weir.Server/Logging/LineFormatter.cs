using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Weir.Server.Logging;

/// <summary>
/// Writes an event as one line: <c>2026-11-20T17:00:00.123Z info  Weir.Server.Node: message key=value</c>. An exception stands at the end,
/// its line breaks escaped.
/// </summary>
internal sealed class LineFormatter(TimeProvider time) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "weir-line";

    private const int LevelWidth = 5;

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        if (NodeLogging.IsStartFailure(logEntry.Category, logEntry.EventId))
            return;
        var line = new StringBuilder(LogText.Time(time.GetUtcNow()))
            .Append(' ').Append(LogText.Level(logEntry.LogLevel).PadRight(LevelWidth))
            .Append(' ').Append(logEntry.Category).Append(": ");
        LogText.AppendEscaped(line, logEntry.Formatter(logEntry.State, logEntry.Exception), quoted: false);
        foreach (var (key, value) in LogFields.NotInMessage(logEntry.State))
            AppendField(line, key, LogText.Of(value));
        if (logEntry.Exception is { } exception)
            AppendField(line, "exception", exception.ToString());
        textWriter.Write(line.Append('\n'));
    }

    private static void AppendField(StringBuilder line, string key, string value)
    {
        var plain = value.Length > 0 && value.All(static c => c is > ' ' and <= '~' and not ('"' or '\\' or '='));
        line.Append(' ').Append(key).Append('=').Append(plain ? "" : "\"");
        LogText.AppendEscaped(line, value, quoted: !plain);
        line.Append(plain ? "" : "\"");
    }
}
