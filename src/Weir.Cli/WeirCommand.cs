using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Weir.Server;

namespace Weir.Cli;

/// <summary>The whole command line: what commands there are, and what happens to one that cannot be read.</summary>
internal static class WeirCommand
{
    // A key may begin with @, which would otherwise name a file of arguments.
    private static readonly ParserConfiguration Parser = new() { ResponseFileTokenReplacer = null, EnablePosixBundling = false };

    /// <summary>Reads the arguments and does what they say.</summary>
    /// <returns>The exit code, see <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter errors)
    {
        var parsed = Create().Parse(args, Parser);
        if (UsageProblems.Find(parsed) is { Count: > 0 } problems)
            return Refuse(parsed, problems, errors);
        // A node stops on signals in its own time; the parser would end the process after two seconds.
        return await parsed.InvokeAsync(new InvocationConfiguration { Output = output, Error = errors, ProcessTerminationTimeout = null });
    }

    /// <summary>The command line as the parser knows it.</summary>
    internal static RootCommand Create()
    {
        var root = new RootCommand("Weir regulates requests: a rate limiter that answers over HTTP.")
        {
            ServeCommand.Create(), CheckCommand.Create(), HealthCommand.Create(), RulesCommand.Create(), LoadCommand.Create(),
        };
        root.SetAction(static parsed => new ExampleHelp().Invoke(parsed));
        root.Options.OfType<HelpOption>().Single().Action = new ExampleHelp();
        root.Options.OfType<VersionOption>().Single().Action = new PrintVersion();
        return ExampleHelp.With(root,
            ("weir serve", "start a node on port 8000"),
            ("weir check alice", "take one permit for alice from it"),
            ("weir rules validate rules.yaml", "find every mistake in a file of rules"));
    }

    private static int Refuse(ParseResult parsed, List<string> problems, TextWriter errors)
    {
        var command = UsageProblems.PathOf(parsed.CommandResult);
        foreach (var problem in problems)
            errors.WriteLine($"{command}: {problem}");
        errors.WriteLine($"Run '{command} --help' for usage and examples.");
        return ExitCode.Error;
    }

    private sealed class PrintVersion : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            parseResult.InvocationConfiguration.Output.WriteLine($"weir {BuildInfo.Version} (revision {BuildInfo.Revision})");
            return ExitCode.Ok;
        }
    }
}
