using System.Globalization;

namespace Weir.Benchmarks.Compare;

/// <summary>What <c>compare</c> was asked to do.</summary>
internal sealed record CompareOptions
{
    public const string Usage = """
        compare: decisions per second of the memory engine and others, in interleaved rounds.
          --rounds N        rounds; the table shows medians. 1 to 1000, default 7
          --decisions N     decisions per measurement. 10000 to 1000000000, default 2000000
          --keys N          keys of the random scenario. 1 to 10000000, default 100000
          --threads N,N     numbers of threads, a table for each. Default 1,2
          --scenario NAME   random, hot, refused or all. Default random
          --only TEXT       only contenders whose name contains TEXT, and the baseline
          --markdown FILE   also write the tables to FILE
        """;

    public int Rounds { get; private set; } = 7;

    public long Decisions { get; private set; } = 2_000_000;

    public int Keys { get; private set; } = 100_000;

    public IReadOnlyList<int> Threads { get; private set; } = [1, 2];

    public string Scenario { get; private set; } = "random";

    public string Only { get; private set; } = "";

    public string? Markdown { get; private set; }

    /// <exception cref="FormatException">An option is unknown, has no value or a wrong one.</exception>
    public static CompareOptions Parse(IReadOnlyList<string> args)
    {
        var options = new CompareOptions();
        for (var i = 0; i < args.Count; i += 2)
        {
            if (i + 1 == args.Count)
                throw new FormatException($"{args[i]} needs a value.");
            options.Set(args[i], args[i + 1]);
        }
        return options;
    }

    private void Set(string name, string value)
    {
        switch (name)
        {
            case "--rounds": Rounds = (int)Number(name, value, 1, 1_000); break;
            case "--decisions": Decisions = Number(name, value, 10_000, 1_000_000_000); break;
            case "--keys": Keys = (int)Number(name, value, 1, 10_000_000); break;
            case "--threads": Threads = [.. value.Split(',').Select(t => (int)Number(name, t, 1, 256))]; break;
            case "--scenario": Scenario = value is "random" or "hot" or "refused" or "all" ? value : throw new FormatException($"--scenario {value} must be random, hot, refused or all."); break;
            case "--only": Only = value; break;
            case "--markdown": Markdown = value; break;
            default: throw new FormatException($"{name} is not an option.");
        }
    }

    private static long Number(string name, string value, long least, long most) =>
        long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new FormatException($"{name} {value} must be a whole number from {least} to {most}.");
}
