using System.Xml.Linq;

namespace Weir.Stack.Tests;

/// <summary>What is printed when all is done: an id passes when all of its tests did.</summary>
internal static class Table
{
    private const int MaxReason = 400;

    /// <returns>Whether nothing failed.</returns>
    public static bool Print(XDocument report)
    {
        var rows = report.Descendants("test")
            .GroupBy(static t => Program.IdOf((string)t.Attribute("method")!))
            .Select(static g => (Id: g.Key, Tests: g.ToList()))
            .OrderBy(static r => r.Id[0]).ThenBy(static r => int.Parse(r.Id.AsSpan(1)))
            .ToList();
        Console.WriteLine();
        foreach (var (id, tests) in rows)
        {
            Console.WriteLine($"{id,-4} {Verdict(tests),-4} {tests.Sum(static t => (double)t.Attribute("time")!),6:0.0} s  {string.Join("; ", tests.Select(Name))}");
            foreach (var test in tests.Where(static t => Result(t) != "Pass"))
                Console.WriteLine($"          {Name(test)}: {Reason(test)}");
            foreach (var line in tests.Select(static t => (string?)t.Element("output")).OfType<string>().SelectMany(static o => o.Split('\n', StringSplitOptions.RemoveEmptyEntries)))
                Console.WriteLine($"          {line.TrimEnd()}");
        }
        var counts = rows.ToLookup(static r => Verdict(r.Tests));
        var skipped = counts["skip"].Count();
        // What breaks outside of a test, such as while things are put away, is a failure as well.
        var errors = report.Descendants("error").Select(static e => (string?)e.Descendants("message").FirstOrDefault() ?? "error").ToList();
        foreach (var error in errors)
            Console.WriteLine($"error: {Short(error)}");
        var failed = counts["FAIL"].Count() + errors.Count;
        Console.WriteLine();
        Console.WriteLine($"{counts["pass"].Count()} passed, {failed} failed{(skipped > 0 ? $", {skipped} skipped" : "")}");
        return failed == 0;
    }

    private static string Verdict(List<XElement> tests) =>
        tests.Exists(static t => Result(t) == "Fail") ? "FAIL" : tests.TrueForAll(static t => Result(t) == "Pass") ? "pass" : "skip";

    private static string Result(XElement test) => (string)test.Attribute("result")!;

    private static string Reason(XElement test) => Short((string?)test.Descendants("message").FirstOrDefault() ?? (string?)test.Element("reason") ?? "no reason given");

    private static string Short(string text)
    {
        var line = string.Join(" ", text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return line.Length <= MaxReason ? line : line[..MaxReason] + "…";
    }

    // A3_NodesStartOnlyWhenRedisIsHealthy becomes words.
    private static string Name(XElement test)
    {
        var name = ((string)test.Attribute("method")!).Split('_', 2)[^1];
        var words = string.Concat(name.Select(static (c, i) => char.IsUpper(c) && i > 0 ? $" {char.ToLowerInvariant(c)}" : $"{c}"));
        return words.Replace('_', ',');
    }
}
