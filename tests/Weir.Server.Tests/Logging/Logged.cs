using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Weir.Server.Tests.Logging;

/// <summary>A logger that keeps what a formatter writes.</summary>
internal sealed class Logged(ConsoleFormatter formatter) : ILogger
{
    private readonly StringWriter _output = new();

    public string Text => _output.ToString();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> toText) =>
        formatter.Write(new LogEntry<TState>(logLevel, "Weir.Server.Node", eventId, state, exception, toText), null, _output);
}
