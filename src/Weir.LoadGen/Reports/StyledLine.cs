using System.Text;

namespace Weir.LoadGen.Reports;

/// <summary>How text looks on a terminal.</summary>
internal enum Style
{
    Plain,
    Bold,
    Faint,
    Allowed,
    Limited,
    Failed,
    SteadyChip,
    BurstChip,
    RampChip,
    RampMark,
    Good,
}

/// <summary>One line of a terminal: pieces of text with styles.</summary>
internal sealed class StyledLine
{
    private readonly List<(string Text, Style Style)> _pieces = [];

    /// <summary>Columns that it takes. Everything we write is one column wide.</summary>
    public int Width { get; private set; }

    /// <summary>Adds a piece.</summary>
    public StyledLine Add(string text, Style style = Style.Plain)
    {
        _pieces.Add((text, style));
        Width += text.Length;
        return this;
    }

    /// <summary>Adds a piece so that it ends at a column.</summary>
    public StyledLine AddRight(string text, int column, Style style = Style.Plain) => Add(new string(' ', Math.Max(1, column - Width - text.Length))).Add(text, style);

    /// <summary>Adds spaces up to a column.</summary>
    public StyledLine PadTo(int column) => Width < column ? Add(new string(' ', column - Width)) : this;

    /// <summary>Writes it, cut off at a width.</summary>
    public void Write(StringBuilder output, int columns, bool hasColor)
    {
        var left = columns;
        foreach (var (text, style) in _pieces)
        {
            if (left <= 0)
                break;
            var shown = text.Length <= left ? text : text[..left];
            left -= shown.Length;
            output.Append(hasColor && style != Style.Plain ? $"\e[{Code(style)}m{shown}\e[0m" : shown);
        }
    }

    /// <summary>A text in a style, where there are colours.</summary>
    public static string Paint(string text, Style style, bool hasColor) => hasColor ? $"\e[{Code(style)}m{text}\e[0m" : text;

    // The terminal's own palette, so that it fits light and dark ones.
    private static string Code(Style style) => style switch
    {
        Style.Bold => "1",
        Style.Faint => "2",
        Style.Allowed => "36",
        Style.Limited => "33",
        Style.Failed => "1;31",
        Style.SteadyChip => "7;36",
        Style.BurstChip => "7;33",
        Style.RampChip => "7;35",
        Style.RampMark => "35",
        Style.Good => "1;32",
        _ => "0",
    };
}
