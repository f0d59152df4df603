namespace Weir.Yaml;

/// <summary>
/// The values of a mapping by key. Making it reports unknown and duplicate keys; each getter reports a value of the wrong type and then
/// answers as if the key were absent, so that reading goes on to the next problem.
/// </summary>
internal sealed class YamlFields
{
    private const string MergeKey = "<<";

    private readonly Dictionary<string, YamlPair> _pairs = new(StringComparer.Ordinal);
    private readonly RuleKeys _keys;
    private readonly ProblemList _problems;

    public YamlFields(YamlMapping mapping, RuleKeys keys, ProblemList problems)
    {
        _keys = keys;
        _problems = problems;
        var written = new Dictionary<string, YamlMark>(StringComparer.Ordinal);
        foreach (var pair in mapping.Pairs)
        {
            if (IsNew(pair.Key, written) && IsKnown(pair))
                _pairs[((YamlScalar)pair.Key).Text] = pair;
        }
        Merge(mapping);
    }

    public YamlPair? Find(string key) => _pairs.GetValueOrDefault(key);

    public bool Has(string key) => _pairs.ContainsKey(key);

    /// <summary>Where a key stands.</summary>
    public YamlMark MarkOf(string key) => _pairs[key].Key.Mark;

    /// <summary>Text, or a plain word, number or truth value as it is written.</summary>
    public string? Text(string key)
    {
        if (Scalar(key) is not { } scalar)
            return null;
        if (scalar.ScalarKind != ScalarKind.Fraction)
            return scalar.Text;
        Report(scalar, $"{key} {scalar.Text} is a fraction in YAML and would lose its form. Put it in quotes: \"{scalar.Text}\".");
        return null;
    }

    /// <summary>A whole number.</summary>
    public long? Integer(string key, long least, long most)
    {
        if (Scalar(key) is not { } scalar)
            return null;
        if (scalar.ScalarKind == ScalarKind.Integer && scalar.TryInteger(out var value) && value >= least && value <= most)
            return value;
        var cure = scalar switch
        {
            { IsPlain: false } when scalar.Text.Length > 0 && scalar.Text.All(char.IsAsciiDigit) => " Remove the quotes.",
            { ScalarKind: ScalarKind.Integer } when scalar.Text.Length > 1 && scalar.Text[0] == '0' => " Remove the leading 0.",
            { ScalarKind: ScalarKind.Fraction } => " Fractions are not allowed.",
            _ => "",
        };
        Report(scalar, $"{key} '{scalar.Text}' must be a whole number from {least:N0} to {most:N0}.{cure}");
        return null;
    }

    /// <summary>True or false; false when the key is absent.</summary>
    public bool Flag(string key)
    {
        if (Scalar(key) is not { } scalar)
            return false;
        if (scalar.ScalarKind == ScalarKind.Flag)
            return scalar.IsYes;
        Report(scalar, $"{key} '{scalar.Text}' must be true or false{(scalar.IsPlain ? "" : ", without quotes")}.");
        return false;
    }

    public YamlMapping? Mapping(string key, string example) => Find(key) is { } pair ? Expect<YamlMapping>(pair, key, "a mapping", example) : null;

    public YamlSequence? Sequence(string key, string example) => Find(key) is { } pair ? Expect<YamlSequence>(pair, key, "a list", example) : null;

    private YamlScalar? Scalar(string key) =>
        Find(key) is { } pair && Expect<YamlScalar>(pair, key, "a single value", "") is { } scalar && !IsEmpty(pair, scalar, key) ? scalar : null;

    private bool IsEmpty(YamlPair pair, YamlScalar scalar, string key)
    {
        if (scalar.ScalarKind == ScalarKind.Empty)
            _problems.Add(pair.Key.Mark, $"{key} has no value. Give it one, or remove the line.");
        return scalar.ScalarKind == ScalarKind.Empty;
    }

    private T? Expect<T>(YamlPair pair, string key, string kind, string example)
        where T : YamlNode
    {
        if (pair.Value is T value)
            return value;
        var mark = pair.Value is YamlScalar { ScalarKind: ScalarKind.Empty } ? pair.Key.Mark : pair.Value.Mark;
        _problems.Add(mark, $"{key} is {pair.Value.Kind} and must be {kind}{(example.Length == 0 ? "" : $", such as {example}")}.");
        return null;
    }

    private void Report(YamlNode node, string message) => _problems.Add(node.Mark, message);

    private bool IsNew(YamlNode key, Dictionary<string, YamlMark> written)
    {
        if (key is not YamlScalar { ScalarKind: ScalarKind.Text or ScalarKind.Flag, Text: not "" } scalar)
        {
            Report(key, $"A key here is {ShowBadKey(key)}. Keys are words: {string.Join(", ", _keys.Names)}.");
            return false;
        }
        if (written.TryAdd(scalar.Text, key.Mark))
            return true;
        Report(key, $"Key '{scalar.Text}' stands here a second time; the first is on line {written[scalar.Text].Line}. Remove one of them.");
        return false;
    }

    private static string ShowBadKey(YamlNode key) => key switch
    {
        YamlScalar { ScalarKind: ScalarKind.Text or ScalarKind.Empty } => "empty",
        YamlScalar scalar => $"'{scalar.Text}', {scalar.Kind}",
        _ => key.Kind,
    };

    private bool IsKnown(YamlPair pair)
    {
        var key = ((YamlScalar)pair.Key).Text;
        if (_keys.Names.Contains(key, StringComparer.Ordinal))
            return true;
        // Top-level keys that begin with x- are a place to define anchors, as in Compose files.
        var isIgnored = key == MergeKey || (_keys == RuleKeys.File && key.StartsWith(RuleKeys.ExtensionPrefix, StringComparison.Ordinal));
        if (!isIgnored)
            Report(pair.Key, _keys.Unknown(key));
        return false;
    }

    // What is written wins over what is merged in, and of several merged mappings the first wins.
    private void Merge(YamlMapping mapping)
    {
        foreach (var pair in mapping.Pairs)
        {
            if (pair.Key is not YamlScalar { Text: MergeKey, IsPlain: true })
                continue;
            foreach (var source in pair.Value is YamlSequence list ? list.Items : [pair.Value])
                MergeFrom(source);
        }
    }

    private void MergeFrom(YamlNode source)
    {
        if (source is not YamlMapping mapping)
        {
            Report(source, $"<< is {source.Kind} and must name a mapping or a list of mappings, such as <<: *defaults.");
            return;
        }
        foreach (var (key, pair) in new YamlFields(mapping, _keys, _problems)._pairs)
            _pairs.TryAdd(key, pair);
    }
}
