namespace Weir.Benchmarks.Compare;

/// <summary>What the contenders are asked.</summary>
internal sealed record Scenario(string Name, string Title, int Keys, Limit Limit)
{
    public static IEnumerable<Scenario> Of(CompareOptions options)
    {
        Scenario[] all =
        [
            new("random", $"{options.Keys:N0} random keys, all allowed", options.Keys, Limit.Wide),
            new("hot", "one hot key", 1, Limit.Hot),
            new("refused", $"{options.Keys:N0} random keys, all refused", options.Keys, Limit.Spent),
        ];
        return all.Where(s => options.Scenario == "all" || options.Scenario == s.Name);
    }
}
