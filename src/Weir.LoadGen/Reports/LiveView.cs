using System.Text;
using Weir.LoadGen.Configuration;
using Weir.LoadGen.Measuring;
using Weir.LoadGen.Profiles;
using Weir.LoadGen.Running;
using Weir.LoadGen.Sending;

namespace Weir.LoadGen.Reports;

/// <summary>Draws a run over itself on a terminal, five times a second, and takes the drawing away in the end.</summary>
internal sealed class LiveView(LoadConfig config, IReadOnlyList<Target> targets, RunStats stats, Func<int> inFlight, LoadConsole console) : IRunView
{
    // Enough for the sparklines of any terminal.
    private const int KeptPoints = 400;
    private const string HideCursorAndWrap = "\e[?25l\e[?7l";
    private const string ShowCursorAndWrap = "\e[?7h\e[?25h";
    private const string ClearBelow = "\e[J";

    private readonly Lock _lock = new();
    private readonly LiveFrame _frame = new(config, targets, stats);
    private readonly List<TimelinePoint> _points = [];
    private (double Seconds, double Rate, Phase Phase) _now;
    private string? _draining;
    private int _drawnLines;
    private int _drawnColumns;
    private bool _ended;

    /// <inheritdoc />
    public double RefreshSeconds => 0.2;

    /// <inheritdoc />
    public void Show(TimelinePoint point)
    {
        lock (_lock)
        {
            _points.Add(point);
            if (_points.Count > KeptPoints)
                _points.RemoveAt(0);
        }
    }

    /// <inheritdoc />
    public void Show(double seconds, double rate, Phase phase)
    {
        lock (_lock)
        {
            _now = (seconds, rate, phase);
            DrawLocked();
        }
    }

    /// <inheritdoc />
    public void Drain(int inFlight, bool stopped)
    {
        lock (_lock)
        {
            _draining = stopped ? "stopped, awaiting what is in flight (Ctrl-C again ends at once)" : "awaiting what is in flight";
            DrawLocked();
        }
    }

    /// <inheritdoc />
    public void End()
    {
        lock (_lock)
        {
            if (_ended)
                return;
            _ended = true;
            console.Output.Write((_drawnLines > 0 ? $"\e[{_drawnLines}A\r{ClearBelow}" : "") + ShowCursorAndWrap);
            console.Output.Flush();
        }
    }

    private void DrawLocked()
    {
        if (_ended)
            return;
        var (columns, rows) = SizeOf(console.Terminal!());
        var text = new StringBuilder();
        text.Append(HideCursorAndWrap);
        // A terminal that became narrower has wrapped what stood there, so that nobody knows how many lines it takes now.
        if (_drawnColumns != 0 && columns != _drawnColumns)
            text.Append("\e[2J\e[H");
        else if (_drawnLines > 0)
            text.Append($"\e[{_drawnLines}A\r");
        var lines = _frame.Draw(new LiveMoment(_now.Seconds, _now.Rate, _now.Phase, inFlight(), _points, _draining), columns - 1, rows);
        foreach (var line in lines)
        {
            // The last column stays free: erasing the rest of a full line would take its last letter.
            line.Write(text, columns - 1, console.HasColor);
            text.Append("\e[K\n");
        }
        text.Append(ClearBelow);
        (_drawnLines, _drawnColumns) = (lines.Count, columns);
        console.Output.Write(text.ToString());
        console.Output.Flush();
    }

    // Some terminals say 0 before they know.
    private static (int Columns, int Rows) SizeOf((int Columns, int Rows) said) => (said.Columns <= 0 ? 80 : said.Columns, said.Rows <= 0 ? 24 : said.Rows);
}
