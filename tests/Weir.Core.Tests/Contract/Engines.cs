using Weir.TestKit;

namespace Weir.Core.Tests.Contract;

/// <summary>The columns of the contract suite's table. Another engine is one more line.</summary>
public static class Engines
{
    private static readonly Dictionary<string, Func<TestEngine>> Makers = new(StringComparer.Ordinal)
    {
        ["memory"] = static () => new MemoryTestEngine(),
        ["redis"] = static () => new RedisTestEngine(),
    };

    /// <summary>Every engine.</summary>
    public static IEnumerable<string> All => Makers.Keys;

    /// <summary>Every algorithm on every engine.</summary>
    public static TheoryData<AlgorithmKind, string> TimesAlgorithms()
    {
        var table = new TheoryData<AlgorithmKind, string>();
        foreach (var engine in Makers.Keys)
        {
            foreach (var algorithm in Enum.GetValues<AlgorithmKind>())
                table.Add(algorithm, engine);
        }
        return table;
    }

    /// <summary>A fresh engine.</summary>
    public static TestEngine Create(string name)
    {
        Assert.SkipWhen(name == "redis" && RedisTestEngine.Unavailable is not null, RedisTestEngine.Unavailable ?? "");
        return Makers[name]();
    }
}
