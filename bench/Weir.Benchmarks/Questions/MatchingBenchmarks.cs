using System.Text;
using BenchmarkDotNet.Attributes;

namespace Weir.Benchmarks.Questions;

/// <summary>How long does it take to find the rule of a request among many, by exact value, by pattern, and two levels deep?</summary>
public class MatchingBenchmarks
{
    private RuleSet _rules = RuleSet.Empty;
    private Dictionary<string, int> _dictionary = [];
    private Descriptor _exact = new([]);
    private Descriptor _pattern = new([]);
    private Descriptor _deep = new([]);

    /// <summary>Exact values that stand side by side in the rules.</summary>
    [Params(10, 1_000)]
    public int Rules { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var parsed = RulesParser.Parse(new RulesFile("bench.yaml", Yaml()));
        _rules = parsed.Rules ?? throw new InvalidOperationException(string.Join('\n', parsed.Problems));
        _dictionary = Enumerable.Range(0, Rules).ToDictionary(i => $"/path/{i}");
        _exact = new([new("path", $"/path/{Rules / 2}")]);
        _pattern = new([new("path", "/static/image.png")]);
        _deep = new([new("tenant", "acme"), new("path", "/login")]);
        foreach (var descriptor in (Descriptor[])[_exact, _pattern, _deep])
        {
            if (_rules.Match("bench", descriptor).Kind != MatchKind.Matched)
                throw new InvalidOperationException($"No rule matches {descriptor.Entries[0]}.");
        }
    }

    [Benchmark(Baseline = true)]
    public int DictionaryLookup() => _dictionary[_exact.Entries[0].Value];

    [Benchmark]
    public RuleMatch Exact() => _rules.Match("bench", _exact);

    [Benchmark]
    public RuleMatch Pattern() => _rules.Match("bench", _pattern);

    [Benchmark]
    public RuleMatch TwoLevels() => _rules.Match("bench", _deep);

    private string Yaml()
    {
        const string limit = "rate_limit: { unit: minute, requests_per_unit: 100 }";
        var yaml = new StringBuilder("domain: bench\ndescriptors:\n");
        for (var i = 0; i < Rules; i++)
            yaml.Append($"  - {{ key: path, value: /path/{i}, {limit} }}\n");
        yaml.Append($"  - {{ key: path, value: /static/*, {limit} }}\n");
        yaml.Append("  - key: tenant\n    descriptors:\n");
        yaml.Append($"      - {{ key: path, value: /login, {limit} }}\n");
        return yaml.ToString();
    }
}
