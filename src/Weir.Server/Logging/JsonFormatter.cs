using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Weir.Server.Logging;

/// <summary>
/// Writes an event as one JSON object on a line: <c>time</c>, <c>level</c>, <c>category</c>, <c>message</c>, <c>exception</c> when there is
/// one, then the event's own fields by their names. A field that is called like one of ours gets an underscore before its name.
/// </summary>
internal sealed class JsonFormatter(TimeProvider time) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "weir-json";

    // The output is never put into a page, so letters of other scripts and angle brackets stay readable.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly string[] OwnNames = ["time", "level", "category", "message", "exception"];

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        if (NodeLogging.IsStartFailure(logEntry.Category, logEntry.EventId))
            return;
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("time", LogText.Time(time.GetUtcNow()));
            json.WriteString("level", LogText.Level(logEntry.LogLevel));
            json.WriteString("category", logEntry.Category);
            json.WriteString("message", logEntry.Formatter(logEntry.State, logEntry.Exception));
            if (logEntry.Exception is { } exception)
                json.WriteString("exception", exception.ToString());
            foreach (var (key, value) in LogFields.Of(logEntry.State))
                WriteField(json, OwnNames.Contains(key) ? "_" + key : key, value);
            json.WriteEndObject();
        }
        textWriter.Write(Encoding.UTF8.GetString(buffer.WrittenSpan));
        textWriter.Write('\n');
    }

    private static void WriteField(Utf8JsonWriter json, string name, object? value)
    {
        switch (value)
        {
            case null:
                json.WriteNull(name);
                break;
            case bool flag:
                json.WriteBoolean(name, flag);
                break;
            case double number when double.IsFinite(number):
                json.WriteNumber(name, number);
                break;
            case byte or short or ushort or int or uint or long:
                json.WriteNumber(name, Convert.ToInt64(value, null));
                break;
            default:
                json.WriteString(name, LogText.Of(value));
                break;
        }
    }
}
