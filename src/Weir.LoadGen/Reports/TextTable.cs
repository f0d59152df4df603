using System.Text;

namespace Weir.LoadGen.Reports;

/// <summary>Lines up columns of text: the first to the left, the others to the right.</summary>
internal sealed class TextTable
{
    private readonly List<string[]> _rows = [];

    /// <summary>Adds a row; rows may differ in length.</summary>
    public TextTable Add(params string[] cells)
    {
        _rows.Add(cells);
        return this;
    }

    /// <summary>Writes all rows, each begun by an indent.</summary>
    public void Write(TextWriter output, string indent)
    {
        var widths = Enumerable.Range(0, _rows.Max(static r => r.Length)).Select(i => _rows.Max(r => i < r.Length ? r[i].Length : 0)).ToArray();
        foreach (var row in _rows)
        {
            var line = new StringBuilder(indent);
            for (var i = 0; i < row.Length; i++)
                line.Append(i == 0 ? row[i].PadRight(widths[i]) : row[i].PadLeft(widths[i])).Append("  ");
            output.WriteLine(line.ToString().TrimEnd());
        }
    }
}
