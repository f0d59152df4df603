using Microsoft.Extensions.Logging;
using Weir.TestKit;

namespace Weir.Server.Tests.Rules;

/// <summary>A temporary folder with rules, and the ways in which people and tools change files.</summary>
internal sealed class RulesFolder : IDisposable
{
    public RulesFolder() => Root = Directory.CreateTempSubdirectory("weir-rules-").FullName;

    public string Root { get; }

    /// <summary>Rules of one domain with one rule of the given limit.</summary>
    public static string Text(long limit, string domain = "d") =>
        $"domain: {domain}\ndescriptors:\n- key: user\n  rate_limit: {{limit: {limit}, window: 1m}}\n";

    public string PathOf(string name) => Path.Combine(Root, name);

    public string Write(string name, string text)
    {
        File.WriteAllText(PathOf(name), text);
        return PathOf(name);
    }

    public void RenameOver(string name, string text)
    {
        Write("." + name + ".swp", text);
        File.Move(PathOf("." + name + ".swp"), PathOf(name), overwrite: true);
    }

    /// <summary>Lays out or swaps a ConfigMap as Kubernetes mounts it: rules.yaml → ..data/rules.yaml, ..data → ..(version)/.</summary>
    public void SwapConfigMap(string version, string text)
    {
        Directory.CreateDirectory(PathOf($"..{version}"));
        Write($"..{version}/rules.yaml", text);
        File.CreateSymbolicLink(PathOf("..data_tmp"), $"..{version}");
        // .NET has no call that renames one link to a folder over another.
        using var move = System.Diagnostics.Process.Start("mv", ["-T", PathOf("..data_tmp"), PathOf("..data")]);
        move.WaitForExit();
        Assert.Equal(0, move.ExitCode);
        if (!File.Exists(PathOf("rules.yaml")))
            File.CreateSymbolicLink(PathOf("rules.yaml"), "..data/rules.yaml");
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}

/// <summary>Keeps what was logged.</summary>
internal sealed class KeepingLogger : ILogger
{
    private readonly List<string> _lines = [];

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
                return [.. _lines];
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lines)
            _lines.Add($"{logLevel}: {formatter(state, exception)}");
    }
}

internal static class Looks
{
    /// <summary>Lets the watcher look a number of times.</summary>
    public static void Look(this ManualTimeProvider time, int times = 2)
    {
        for (var i = 0; i < times; i++)
            time.Advance(Weir.Server.Rules.RulesWatcher.Period);
    }

    public static long Limit(this Weir.Server.Rules.RulesStore store, string domain = "d") =>
        store.Current.RuleSet.Match(domain, new Descriptor([new DescriptorEntry("user", "x")])).Rule?.Permits ?? -1;
}
