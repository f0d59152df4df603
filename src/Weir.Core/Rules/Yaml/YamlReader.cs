using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Weir.Yaml;

/// <summary>
/// Reads a text into trees of nodes with places, one per document. It stands on the event parser because the library's own models stop at
/// the first duplicate key and lose places, where we want every problem at once.
/// </summary>
/// <remarks>
/// Hostile texts are bounded: nesting by <see cref="MaxDepth"/>, aliases by <see cref="MaxUnfolded"/>. An alias costs nothing until its node is
/// visited, and every node knows how many visits it would take.
/// </remarks>
internal sealed class YamlReader
{
    /// <summary>Lists and mappings inside each other. Sixteen levels of descriptors with their limits take fewer.</summary>
    public const int MaxDepth = 64;

    /// <summary>Values that aliases may add to a document when they are written out.</summary>
    public const int MaxUnfolded = 100_000;

    private readonly string _text;
    private readonly ProblemList _problems;
    private readonly Parser _parser;
    private readonly Dictionary<string, YamlNode?> _anchors = new(StringComparer.Ordinal);
    private YamlMark _last = new(1, 1);
    private long _written;

    private YamlReader(string text, ProblemList problems)
    {
        _text = text;
        _problems = problems;
        _parser = new Parser(new Scanner(new StringReader(text), skipComments: true));
    }

    /// <summary>The documents of a text. After an error of syntax those before it are returned.</summary>
    public static IReadOnlyList<YamlNode> Read(string text, ProblemList problems)
    {
        text = text.TrimStart('\uFEFF');
        if (YamlSyntax.TryFindControl(text, out var mark, out var code))
        {
            problems.Add(mark, $"The control character U+{code:X4} is not allowed in YAML. Remove it.");
            return [];
        }
        return new YamlReader(text, problems).ReadDocuments();
    }

    private List<YamlNode> ReadDocuments()
    {
        List<YamlNode> documents = [];
        try
        {
            while (Next() is not StreamEnd)
            {
                if (_parser.Current is DocumentStart && ReadDocument() is { } document)
                    documents.Add(document);
            }
        }
        catch (YamlException error)
        {
            var (mark, message) = YamlSyntax.Describe(error, _text);
            _problems.Add(mark, message);
        }
        catch (InvalidOperationException)
        {
            // The library's parser gets out of step on some unclosed brackets and says so like this.
            _problems.Add(_last, "Not valid YAML after this place. Look for a bracket or a quote that is not closed.");
        }
        return documents;
    }

    private YamlNode? ReadDocument()
    {
        _anchors.Clear();
        _written = 0;
        Next();
        var root = ReadNode(0);
        if (root.Weight - _written <= MaxUnfolded)
            return root;
        _problems.Add(root.Mark, $"Its aliases unfold this document to more than {MaxUnfolded:N0} additional values. Use fewer aliases.");
        return null;
    }

    private YamlNode ReadNode(int depth)
    {
        var mark = _last;
        var current = _parser.Current!;
        if (depth > MaxDepth)
            throw new SemanticErrorException(current.Start, current.End, $"lists and mappings nest deeper than {MaxDepth} levels. Flatten them.");
        if (current is AnchorAlias alias)
            return Resolve(alias.Value.Value, mark);
        _written++;
        return current switch
        {
            Scalar scalar => ReadScalar(scalar, mark),
            SequenceStart start => ReadSequence(start, mark, depth),
            MappingStart start => ReadMapping(start, mark, depth),
            _ => throw new SemanticErrorException(current.Start, current.End, $"unexpected {current.GetType().Name}."),
        };
    }

    private YamlScalar ReadScalar(Scalar scalar, YamlMark mark)
    {
        var isPlain = scalar.Style == ScalarStyle.Plain && !HasTag(scalar, "str", mark);
        var node = new YamlScalar(mark, scalar.Value, isPlain);
        Remember(scalar, node);
        return node;
    }

    private YamlSequence ReadSequence(SequenceStart start, YamlMark mark, int depth)
    {
        Open(start, "seq", mark);
        List<YamlNode> items = [];
        while (Next() is not SequenceEnd)
            items.Add(ReadNode(depth + 1));
        var node = new YamlSequence(mark, items);
        Remember(start, node);
        return node;
    }

    private YamlMapping ReadMapping(MappingStart start, YamlMark mark, int depth)
    {
        Open(start, "map", mark);
        List<YamlPair> pairs = [];
        while (Next() is not MappingEnd)
        {
            var key = ReadNode(depth + 1);
            Next();
            pairs.Add(new YamlPair(key, ReadNode(depth + 1)));
        }
        var node = new YamlMapping(mark, pairs);
        Remember(start, node);
        return node;
    }

    // Until the node is complete its name stands for nothing, so that no node can contain itself.
    private void Open(NodeEvent start, string type, YamlMark mark)
    {
        HasTag(start, type, mark);
        if (!start.Anchor.IsEmpty)
            _anchors[start.Anchor.Value] = null;
    }

    private void Remember(NodeEvent start, YamlNode node)
    {
        if (!start.Anchor.IsEmpty)
            _anchors[start.Anchor.Value] = node;
    }

    private YamlNode Resolve(string name, YamlMark mark)
    {
        if (_anchors.TryGetValue(name, out var node) && node is not null)
            return node;
        _problems.Add(mark, _anchors.ContainsKey(name)
            ? $"The alias *{name} stands inside the value that it names. Remove it."
            : $"The alias *{name} names nothing above it. Define &{name} first, or for a wildcard put it in quotes: \"*{name}\".");
        // Text keeps the reader of the value from reporting a second problem at the same place.
        return new YamlScalar(mark, $"*{name}", isPlain: false);
    }

    private bool HasTag(NodeEvent node, string type, YamlMark mark)
    {
        if (node.Tag.IsEmpty)
            return false;
        if (node.Tag.IsNonSpecific || node.Tag.Value == $"tag:yaml.org,2002:{type}")
            return true;
        var tag = node.Tag.Value.Replace("tag:yaml.org,2002:", "!!", StringComparison.Ordinal);
        _problems.Add(mark, $"The tag {tag} has no meaning here. Remove it.");
        return false;
    }

    private ParsingEvent Next()
    {
        if (!_parser.MoveNext())
            throw new InvalidOperationException("The YAML parser ended before the stream.");
        var current = _parser.Current!;
        _last = new YamlMark(current.Start.Line, current.Start.Column);
        return current;
    }
}
