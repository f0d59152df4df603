namespace Weir.LoadGen.Running;

/// <summary>Where a run writes to.</summary>
/// <param name="Output">The live view or lines, and the summary.</param>
/// <param name="Errors">Problems.</param>
public sealed record LoadConsole(TextWriter Output, TextWriter Errors)
{
    /// <summary>Columns of the terminal that <see cref="Output"/> is, asked anew for each frame; null where it is none, and lines are printed.</summary>
    public Func<(int Columns, int Rows)>? Terminal { get; init; }

    /// <summary>How wide sentences may be: the terminal's columns, or without bound where there is no terminal, or one that does not know.</summary>
    internal int Columns => Terminal?.Invoke() is { Columns: > 0 } size ? size.Columns : Reports.Prose.Unbounded;

    /// <summary>Whether the terminal shows colours.</summary>
    public bool HasColor { get; init; }

    /// <summary>What standard output is: a terminal or not, with colours unless <c>NO_COLOR</c> is set.</summary>
    public static LoadConsole OfProcess(TextWriter output, TextWriter errors)
    {
        var isTerminal = !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb");
        return new LoadConsole(output, errors)
        {
            Terminal = isTerminal ? static () => (Console.WindowWidth, Console.WindowHeight) : null,
            HasColor = isTerminal && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")),
        };
    }
}

/// <summary>How a run is interrupted: once to stop, twice to end at once. Safe for many threads.</summary>
public sealed class LoadInterrupts : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _abort = new();
    private int _count;

    /// <summary>Set by the first signal: nothing more is sent, answers are awaited, the summary is printed.</summary>
    public CancellationToken Stop => _stop.Token;

    /// <summary>Set by the second signal: the run is given up.</summary>
    public CancellationToken Abort => _abort.Token;

    /// <summary>A signal came.</summary>
    public void Signal()
    {
        if (Interlocked.Increment(ref _count) == 1)
            _stop.Cancel();
        else
            _abort.Cancel();
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _stop.Dispose();
        _abort.Dispose();
    }
}
