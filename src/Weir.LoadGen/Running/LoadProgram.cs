using Weir.LoadGen.Configuration;
using Weir.LoadGen.Proof;
using Weir.LoadGen.Reports;
using Weir.LoadGen.Sending;

namespace Weir.LoadGen.Running;

/// <summary>Everything that <c>weir load</c> does, from texts to an exit code.</summary>
public static class LoadProgram
{
    /// <summary>The run was a success.</summary>
    public const int Success = 0;

    /// <summary>A threshold was missed, the promise was broken, or nobody answered.</summary>
    public const int Missed = 1;

    /// <summary>Nothing was sent: something that was given is wrong, or a target cannot be reached.</summary>
    public const int NotStarted = 2;

    /// <summary>The run was given up by a second signal.</summary>
    public const int Aborted = 130;

    private const string Prefix = "weir load: ";

    /// <summary>
    /// Lets the socket layer answer on its own threads instead of handing each event to the thread pool, which takes a third of the processor time off a request.
    /// Call it before the process has used a socket; a value that is set already stays.
    /// </summary>
    /// <remarks>What runs there must not block, and our couriers do not. A process that also serves should not call this.</remarks>
    public static void TuneProcess()
    {
        const string inline = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";
        if (Environment.GetEnvironmentVariable(inline) is null)
            Environment.SetEnvironmentVariable(inline, "1");
    }

    /// <summary>Checks, runs, reports.</summary>
    /// <param name="flags">Names of settings and their texts.</param>
    /// <param name="variable">Reads an environment variable.</param>
    /// <param name="console">Where to write.</param>
    /// <param name="interrupts">How the user stops it.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(IEnumerable<KeyValuePair<string, IReadOnlyList<string>>> flags, Func<string, string?> variable, LoadConsole console, LoadInterrupts interrupts)
    {
        ArgumentNullException.ThrowIfNull(console);
        ArgumentNullException.ThrowIfNull(interrupts);
        var problems = new List<string>();
        try
        {
            // Files may be pipes that nobody writes to. A signal ends the wait for them too.
            var config = await Task.Run(() => LoadConfig.TryCreate(LoadOptions.Collect(flags, variable, problems), problems)).WaitAsync(interrupts.Stop);
            if (config is null || problems.Count > 0)
                return Refuse(problems, console);
            foreach (var note in config.Notes)
                await console.Errors.WriteLineAsync(Prefix + note);
            if (config.DryRun)
            {
                PlanText.Write(config, console.Output);
                return Success;
            }
            return await RunAsync(config, problems, console, interrupts);
        }
        catch (OperationCanceledException) when (interrupts.Stop.IsCancellationRequested)
        {
            return Aborted;
        }
    }

    private static async Task<int> RunAsync(LoadConfig config, List<string> problems, LoadConsole console, LoadInterrupts interrupts)
    {
        var targets = await Targets.FindAsync(config.Targets, config.EachAddress, problems, interrupts.Stop);
        if (config.Preflight && problems.Count == 0)
            problems.AddRange(await Targets.ReachAsync(targets, config.Sending.Timeout, interrupts.Stop));
        var expectation = problems.Count > 0 ? null : await ExpectationAsync(config, targets[0], problems, interrupts.Stop);
        if (problems.Count > 0)
            return Refuse(problems, console);
        PlanText.WriteTitle(config, targets, expectation, console.Output, console.Columns);
        await Rehearsal.RunAsync(config.Sending, TimeProvider.System);
        var run = await new LoadRun(config, targets, expectation, TimeProvider.System).RunAsync(console, interrupts.Stop, interrupts.Abort);
        Summary.Write(run, console.Output, console.HasColor, console.Columns);
        var written = await ReportWriter.WriteAsync(run, problems);
        foreach (var path in written)
            console.Output.WriteLine($"  written: {path}");
        foreach (var problem in problems)
            console.Errors.WriteLine(Prefix + problem);
        return run.IsSuccess && problems.Count == 0 ? Success : Missed;
    }

    private static async Task<Expectation?> ExpectationAsync(LoadConfig config, Target first, List<string> problems, CancellationToken cancellation) =>
        config.ExpectRules ? await NodeRules.AskAsync(first, config.Sending, config.ClockOffsetNanos, problems, cancellation)
        : config.Expect is { } promise ? new Expectation(promise, new Dictionary<string, Promise>(StringComparer.Ordinal), config.ClockOffsetNanos)
        : null;

    private static int Refuse(List<string> problems, LoadConsole console)
    {
        foreach (var problem in problems)
            console.Errors.WriteLine(Prefix + problem);
        return NotStarted;
    }
}
