using System.CommandLine;
using System.Runtime.InteropServices;
using Weir.LoadGen.Configuration;
using Weir.LoadGen.Running;

namespace Weir.Cli;

/// <summary><c>weir load</c>: sends traffic to any HTTP service, and proves whether its limiter kept its promise.</summary>
internal static class LoadCommand
{
    public static Command Create()
    {
        var flags = LoadSettings.All.Select(FlagOf).ToArray();
        var command = new Command("load", "Send requests on a schedule, measure the answers, and prove that a limiter keeps its promise. A flag wins over a variable.");
        foreach (var flag in flags)
            command.Options.Add(flag);
        command.SetAction((parsed, _) => RunAsync(Given(parsed, flags), parsed.InvocationConfiguration));
        return ExampleHelp.With(command,
            ("weir load --targets http://localhost:8000", "50 requests a second for 30 s, ten keys"),
            ("weir load --targets http://localhost:8000 --rps 500 --expect rules", "prove that the node keeps its default rule"),
            ("weir load --targets http://a:8000,http://b:8000 --rps 200 --burst-multiplier 4 --burst-interval 10 --html load.html", "bursts over two nodes, and a page to look at"),
            ("weir load --targets http://localhost:8000 --path /items/{key} --max-p99 50ms --max-failure-rate 1%", "any service, and an exit code for CI"),
            ("weir load --targets http://localhost:8000 --scenario spike.yaml --dry-run", "see what a scenario would send"));
    }

    private static Option FlagOf(LoadSetting setting) => setting.Kind switch
    {
        SettingKind.Switch => new Option<bool>(setting.Flag) { Description = setting.Description },
        SettingKind.List => new Option<string[]>(setting.Flag) { HelpName = setting.Values, Description = setting.Description, Arity = ArgumentArity.OneOrMore },
        _ => new Option<string>(setting.Flag) { HelpName = setting.Values, Description = setting.Description + Note(setting) },
    };

    private static string Note(LoadSetting setting) => (setting.Variable, setting.Default) switch
    {
        ({ } variable, { } byDefault) => $" [{variable}, default: {byDefault}]",
        ({ } variable, null) => $" [{variable}]",
        (null, { } byDefault) => $" [default: {byDefault}]",
        _ => "",
    };

    private static List<KeyValuePair<string, IReadOnlyList<string>>> Given(ParseResult parsed, Option[] flags) =>
        [.. flags.Where(f => parsed.GetResult(f) is { Implicit: false })
            .Select(f => KeyValuePair.Create<string, IReadOnlyList<string>>(f.Name[2..], [.. parsed.GetResult(f)!.Tokens.Select(static t => t.Value)]))];

    private static async Task<int> RunAsync(List<KeyValuePair<string, IReadOnlyList<string>>> given, InvocationConfiguration streams)
    {
        var ownsProcess = ReferenceEquals(streams.Output, Console.Out);
        if (ownsProcess)
            LoadProgram.TuneProcess();
        var console = ownsProcess ? LoadConsole.OfProcess(streams.Output, streams.Error) : new LoadConsole(streams.Output, streams.Error);
        using var interrupts = new LoadInterrupts();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Signal);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Signal);
        return await LoadProgram.RunAsync(given, Environment.GetEnvironmentVariable, console, interrupts);

        void Signal(PosixSignalContext context)
        {
            context.Cancel = true;
            interrupts.Signal();
        }
    }
}
