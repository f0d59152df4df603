using System.CommandLine;
using Weir.Server.Rules;

namespace Weir.Cli;

/// <summary><c>weir rules</c>: looks at rules without a node.</summary>
internal static class RulesCommand
{
    public static Command Create() => ExampleHelp.With(
        new Command("rules", "Check rules, or ask which of them a request meets.") { Validate(), Explain() },
        ("weir rules validate rules.yaml", "find every mistake"),
        ("weir rules explain rules.yaml user=alice", "see which rule limits alice"));

    private static Command Validate()
    {
        var path = PathArgument();
        var command = new Command("validate", "Report every problem in a file or folder of rules, with its place and cure.") { path };
        command.SetAction(parsed => RulesCommands.Validate(
            parsed.GetRequiredValue(path), parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error));
        return ExampleHelp.With(command,
            ("weir rules validate rules.yaml", "one file"),
            ("weir rules validate /etc/weir/rules", "every file of a folder"));
    }

    private static Command Explain()
    {
        var path = PathArgument();
        var domain = new Option<string>("--domain")
        {
            HelpName = "domain",
            Description = "Domain to look in.",
            DefaultValueFactory = static _ => "default",
        };
        var pairs = new Argument<string[]>("key=value")
        {
            Description = "Entries of the request's descriptor, outermost first.",
            Arity = ArgumentArity.OneOrMore,
        };
        var command = new Command("explain", "Tell which rule a request meets, and why not the others.") { path, pairs, domain };
        command.SetAction(parsed => RulesCommands.Explain(
            parsed.GetRequiredValue(path), parsed.GetRequiredValue(domain), parsed.GetRequiredValue(pairs),
            parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error));
        return ExampleHelp.With(command,
            ("weir rules explain rules.yaml user=alice", "one entry"),
            ("weir rules explain rules.yaml --domain api user=alice path=/login", "a path through the tree of domain api"));
    }

    private static Argument<string> PathArgument() => new("path") { Description = "A YAML file, or a folder of them." };
}
