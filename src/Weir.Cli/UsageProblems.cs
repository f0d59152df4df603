using System.CommandLine;
using System.CommandLine.Parsing;
using Weir.Server.Configuration;

namespace Weir.Cli;

/// <summary>Says what is wrong with a command line, and what was probably meant.</summary>
internal static class UsageProblems
{
    /// <summary>Every problem; none when the line can be run.</summary>
    public static List<string> Find(ParseResult parsed)
    {
        if (parsed.Errors.Count == 0 || parsed.Action is { ClearsParseErrors: true })
            return [];
        var unknown = Unknown(parsed).ToList();
        // What the parser says besides an unknown word only follows from it.
        return unknown.Count > 0 ? unknown : [.. parsed.Errors.Select(e => e.Message).Distinct()];
    }

    /// <summary>The command as it was written, such as <c>weir rules explain</c>.</summary>
    public static string PathOf(CommandResult command) =>
        command.Parent is CommandResult parent ? $"{PathOf(parent)} {command.Command.Name}" : "weir";

    private static IEnumerable<string> Unknown(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var afterFlag = false;
        foreach (var token in parsed.UnmatchedTokens)
        {
            var isFlag = token.StartsWith('-');
            // A word after an unknown flag is most likely its value.
            if (isFlag || !afterFlag)
                yield return isFlag ? Flag(token, parsed) : Word(token, command);
            afterFlag = isFlag;
        }
    }

    private static string Flag(string token, ParseResult parsed)
    {
        var name = token.Split('=', 2)[0];
        var flags = parsed.CommandResult.Command.Options.Concat(parsed.RootCommandResult.Command.Options.Where(o => o.Recursive)).Select(o => o.Name);
        return $"'{name}' is not a flag.{Suggest(NearestName.Find(name, flags))}";
    }

    private static string Word(string token, Command command) => command.Subcommands.Count == 0
        ? $"'{token}' is one word too many."
        : $"'{token}' is not a command.{Suggest(NearestName.Find(token, command.Subcommands.Select(c => c.Name)))}";

    private static string Suggest(string? name) => name is null ? "" : $" Did you mean {name}?";
}
