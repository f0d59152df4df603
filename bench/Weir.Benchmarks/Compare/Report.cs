using System.Text;
using Weir.Benchmarks.Contenders;

namespace Weir.Benchmarks.Compare;

/// <summary>The measurements as Markdown.</summary>
internal sealed class Report
{
    private readonly StringBuilder _text = new();

    public Report(string machine, IReadOnlyList<string> args)
    {
        _text.AppendLine(machine);
        _text.AppendLine($"- Command: `{string.Join(' ', ["dotnet run -c Release --project bench/Weir.Benchmarks -- compare", .. WithoutFile(args)])}`");
        _text.AppendLine();
        _text.AppendLine("Decisions per second over all threads: median (least to most) of the rounds. The ratio is the median of the ratios to the baseline of the same round. CPU is the processor time of the whole process.");
    }

    public string Text => _text.ToString();

    public void Add(string title, IReadOnlyList<Entrant> entrants, IReadOnlyList<Lap[]> rounds)
    {
        _text.AppendLine().AppendLine($"### {title}").AppendLine();
        _text.AppendLine("| contender | M decisions/s | ratio | CPU ns per decision | B per decision | allowed |");
        _text.AppendLine("|---|---:|---:|---:|---:|---:|");
        for (var i = 0; i < entrants.Count; i++)
        {
            var laps = rounds.Select(r => r[i]).ToList();
            var rates = laps.ConvertAll(l => l.DecisionsPerSecond / 1e6);
            var ratio = Median(rounds.Select(r => r[i].DecisionsPerSecond / r[0].DecisionsPerSecond));
            var nanos = Median(laps.Select(l => l.ProcessorNanosPerDecision));
            _text.AppendLine($"| {entrants[i].Name} | {Median(rates):F2} ({rates.Min():F2} to {rates.Max():F2}) | {ratio:F2} | {nanos:F1} | {Median(laps.Select(l => l.BytesPerDecision)):F2} | {Median(laps.Select(l => l.AllowedShare)):P0} |");
        }
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    // Where the report went says nothing about how it came to be.
    private static IEnumerable<string> WithoutFile(IReadOnlyList<string> args) =>
        args.Where((a, i) => a != "--markdown" && (i == 0 || args[i - 1] != "--markdown"));
}
