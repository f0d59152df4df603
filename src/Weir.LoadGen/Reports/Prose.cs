using System.Text;

namespace Weir.LoadGen.Reports;

/// <summary>Writes sentences so that a terminal does not break them in the middle of a word.</summary>
internal static class Prose
{
    /// <summary>As wide as it takes, for files and pipes.</summary>
    public const int Unbounded = int.MaxValue;

    /// <summary>Writes a sentence, in several lines where one has no room.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="indent">Spaces before every line.</param>
    /// <param name="text">Words with spaces between them.</param>
    /// <param name="columns">Columns of the terminal. A word that is longer stands alone.</param>
    public static void Write(TextWriter output, int indent, string text, int columns)
    {
        var line = new StringBuilder(new string(' ', indent));
        foreach (var word in text.Split(' '))
        {
            if (line.Length > indent && line.Length + 1 + word.Length > columns)
            {
                output.WriteLine(line.ToString());
                line.Length = indent;
            }
            line.Append(line.Length > indent ? " " : "").Append(word);
        }
        output.WriteLine(line.ToString());
    }
}
