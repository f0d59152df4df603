using System.Globalization;
using Weir.Benchmarks.Compare;
using Weir.Resp;

namespace Weir.Benchmarks.Shared;

/// <summary>
/// Compares ways to decide on a shared Redis, at growing numbers of callers: one pipelined script call per decision, which is what limiters on Redis do, and this
/// engine. All contenders of a round run one after the other, and ratios are taken within a round.
/// </summary>
internal static class SharedCommand
{
    public const string Usage = "usage: shared --url redis://localhost:PORT [--callers 1,16,64,1024] [--rounds 5] [--seconds 2] [--only TEXT] [--out FILE.md]";

    public static async Task<int> RunAsync(IReadOnlyList<string> args)
    {
        var options = new Dictionary<string, string>(StringComparer.Ordinal) { ["--callers"] = "1,16,64,1024", ["--rounds"] = "5", ["--seconds"] = "2", ["--only"] = "" };
        for (var i = 0; i + 1 < args.Count; i += 2)
            options[args[i]] = args[i + 1];
        if (!options.TryGetValue("--url", out var url) || args.Count % 2 != 0)
        {
            await Console.Error.WriteLineAsync(Usage);
            return 2;
        }
        var resp = RespOptions.Parse(url) with { DeadlineResolution = TimeSpan.FromMilliseconds(2) };
        var seconds = double.Parse(options["--seconds"], CultureInfo.InvariantCulture);
        var rounds = int.Parse(options["--rounds"], CultureInfo.InvariantCulture);
        var report = new StringWriter(CultureInfo.InvariantCulture);
        report.WriteLine(Machine.Describe());
        foreach (var callers in options["--callers"].Split(',').Select(int.Parse))
        {
            var laps = new List<SharedLap[]>();
            var contenders = SharedContender.All.Where(c => c.IsBaseline || c.Name.Contains(options["--only"], StringComparison.Ordinal)).ToArray();
            for (var round = 0; round <= rounds; round++)
            {
                var lap = new SharedLap[contenders.Length];
                // Who comes next finds the machine as the one before left it, so they take turns.
                foreach (var i in Enumerable.Range(0, contenders.Length).Select(i => (i + round) % contenders.Length))
                    lap[i] = await SharedRace.RunAsync(contenders[i], resp, callers, TimeSpan.FromSeconds(round == 0 ? seconds / 2 : seconds));
                if (round > 0)
                    laps.Add(lap);
            }
            Write(report, callers, contenders, laps);
        }
        Console.WriteLine(report);
        if (options.TryGetValue("--out", out var file))
            await File.WriteAllTextAsync(file, report.ToString());
        return 0;
    }

    private static void Write(StringWriter report, int callers, SharedContender[] contenders, List<SharedLap[]> laps)
    {
        report.WriteLine($"\n## {callers} caller{(callers == 1 ? "" : "s")}\n");
        report.WriteLine("| contender | decisions/s | ratio | p50 µs | p99 µs | node CPU µs | Redis CPU µs | bytes |");
        report.WriteLine("|---|---:|---:|---:|---:|---:|---:|---:|");
        for (var i = 0; i < contenders.Length; i++)
        {
            var own = laps.ConvertAll(l => l[i]);
            var ratio = Median(laps.ConvertAll(l => l[i].PerSecond / l[0].PerSecond));
            report.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {contenders[i].Name} | {Median(own.ConvertAll(static l => l.PerSecond)):N0} | {ratio:0.00}× | {Median(own.ConvertAll(static l => l.P50)):0} " +
                $"| {Median(own.ConvertAll(static l => l.P99)):0} | {Median(own.ConvertAll(static l => l.NodeMicros)):0.00} | {Median(own.ConvertAll(static l => l.RedisMicros)):0.00} " +
                $"| {Median(own.ConvertAll(static l => l.Bytes)):0.0} |"));
        }
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}
