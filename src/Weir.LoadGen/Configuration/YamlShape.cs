using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Weir.LoadGen.Configuration;

/// <summary>
/// Looks through YAML before it becomes a tree. Building the tree is recursive, so a file that is nested deeply enough, or whose key contains itself, would end the
/// process where nobody can catch it.
/// </summary>
internal static class YamlShape
{
    private const int Deepest = 16;

    /// <summary>What a scenario never has.</summary>
    /// <param name="text">The file's content.</param>
    /// <returns>Null when there is none of it.</returns>
    /// <exception cref="YamlException">It is not YAML.</exception>
    public static (long Line, string Text)? FindProblem(string text)
    {
        var parser = new Parser(new StringReader(text));
        // Of each mapping around the present place, whether a key comes next; of each list, null.
        var around = new Stack<bool?>();
        try
        {
            while (parser.MoveNext())
            {
                var item = parser.Current!;
                if (item is MappingEnd or SequenceEnd)
                    around.Pop();
                else if (item is NodeEvent or AnchorAlias && TakePlace(item, around) is { } problem)
                    return (item.Start.Line, problem);
            }
            return null;
        }
        // The library's own way to say that it met a text which its author did not think of.
        catch (Exception e) when (e is InvalidOperationException or ArgumentException)
        {
            return (parser.Current?.End.Line ?? 1, "is not YAML from here on. Look for brackets that are not closed and for words in the wrong place.");
        }
    }

    private static string? TakePlace(ParsingEvent item, Stack<bool?> around)
    {
        if (around.TryPop(out var keyNext))
        {
            if (keyNext == true && item is not Scalar)
                return "a key must be a word, such as 'targets' or 'constant'.";
            around.Push(!keyNext);
        }
        if (item is MappingStart or SequenceStart)
            around.Push(item is MappingStart ? true : null);
        return around.Count > Deepest ? $"is nested more than {Deepest} deep. A scenario is stages, and a stage is fields." : null;
    }
}
