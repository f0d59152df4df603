using Weir.Benchmarks.Contenders;

namespace Weir.Benchmarks.Compare;

/// <summary>
/// Measures all contenders once per round, one after the other, and compares each with the baseline of the same round: what disturbs the machine for
/// longer than a round disturbs both.
/// </summary>
internal static class CompareCommand
{
    public static int Run(IReadOnlyList<string> args)
    {
        try
        {
            Run(CompareOptions.Parse(args), args);
            return 0;
        }
        catch (FormatException e)
        {
            Console.Error.WriteLine($"{e.Message}\n{CompareOptions.Usage}");
            return 2;
        }
    }

    private static void Run(CompareOptions options, IReadOnlyList<string> args)
    {
        var entrants = Entrant.All
            .Where(e => e == Entrant.Baseline || e.Name.Contains(options.Only, StringComparison.OrdinalIgnoreCase))
            .ToList();
        var report = new Report(Machine.Describe(), args);
        foreach (var scenario in Scenario.Of(options))
        {
            foreach (var threads in options.Threads)
            {
                var laps = MeasureAll(entrants, scenario, new Traffic(scenario.Keys, threads), options);
                report.Add($"{scenario.Title}, {threads} thread{(threads == 1 ? "" : "s")}", entrants, laps);
            }
        }
        Console.WriteLine(report.Text);
        if (options.Markdown is { } file)
            File.WriteAllText(file, report.Text);
    }

    // The first round only warms up: its code is still being compiled.
    private static List<Lap[]> MeasureAll(List<Entrant> entrants, Scenario scenario, Traffic traffic, CompareOptions options)
    {
        List<Lap[]> laps = [];
        for (var round = 0; round <= options.Rounds; round++)
        {
            Console.Error.WriteLine($"{scenario.Name}, {traffic.Lanes.Length} threads: {(round == 0 ? "warming up" : $"round {round} of {options.Rounds}")}");
            var measured = entrants.Select(e => Measure(e, scenario, traffic, options.Decisions)).ToArray();
            if (round > 0)
                laps.Add(measured);
        }
        return laps;
    }

    // A fresh contender each time: nobody's timers run through another's measurement, and nobody's idle counters are freed between its own.
    private static Lap Measure(Entrant entrant, Scenario scenario, Traffic traffic, long decisions)
    {
        using var contender = entrant.Create(scenario.Limit);
        contender.Decide(traffic.EveryKey);
        Race.Run(contender, traffic, decisions / 2);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        return Race.Run(contender, traffic, decisions);
    }
}
