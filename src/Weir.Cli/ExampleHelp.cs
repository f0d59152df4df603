using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Runtime.CompilerServices;

namespace Weir.Cli;

/// <summary>The parser's help, followed by examples of the command.</summary>
internal sealed class ExampleHelp : SynchronousCommandLineAction
{
    private static readonly ConditionalWeakTable<Command, (string Line, string Meaning)[]> Examples = [];

    private readonly HelpAction _help = new();

    /// <inheritdoc />
    public override bool ClearsParseErrors => true;

    /// <summary>Gives a command its examples.</summary>
    public static T With<T>(T command, params (string Line, string Meaning)[] examples)
        where T : Command
    {
        Examples.Add(command, examples);
        return command;
    }

    /// <inheritdoc />
    public override int Invoke(ParseResult parseResult)
    {
        _help.Invoke(parseResult);
        if (Examples.TryGetValue(parseResult.CommandResult.Command, out var examples))
            Write(parseResult.InvocationConfiguration.Output, examples);
        return ExitCode.Ok;
    }

    private static void Write(TextWriter output, (string Line, string Meaning)[] examples)
    {
        var width = examples.Max(e => e.Line.Length);
        output.WriteLine("Examples:");
        foreach (var (line, meaning) in examples)
            output.WriteLine($"  {line.PadRight(width)}   {meaning}");
        output.WriteLine();
    }
}
