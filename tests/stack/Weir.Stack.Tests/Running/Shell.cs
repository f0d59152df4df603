using System.Diagnostics;
using System.Text;

namespace Weir.Stack.Tests.Running;

/// <summary>What a command did.</summary>
internal sealed record CommandResult(string Command, int ExitCode, string Output, string Errors)
{
    /// <summary>Output and errors, for messages.</summary>
    public string Text => $"{Output}{Errors}".Trim();

    /// <summary>The output's lines.</summary>
    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>Fails the test unless the command ended with 0.</summary>
    public CommandResult Ok()
    {
        if (ExitCode != 0)
            Assert.Fail($"{Command} ended with {ExitCode}: {Tail(Text)}");
        return this;
    }

    // What matters comes last.
    private static string Tail(string text) => text.Length <= 1500 ? text : "…" + text[^1500..];
}

/// <summary>Runs programs.</summary>
internal static class Shell
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    /// <summary>Runs a program to its end, which must come within a quarter of an hour.</summary>
    public static async Task<CommandResult> RunAsync(string program, IEnumerable<string> arguments, string? folder = null, IReadOnlyDictionary<string, string>? environment = null, string? input = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = folder ?? "",
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var (output, errors) = (ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading.
        }
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{program} {string.Join(' ', start.ArgumentList)} did not end within {Patience.TotalMinutes} minutes: {await output}{await errors}");
        }
        return new CommandResult($"{program} {string.Join(' ', start.ArgumentList)}", process.ExitCode, await output, await errors);
    }

    /// <summary>Runs docker.</summary>
    public static Task<CommandResult> DockerAsync(params string[] arguments) => RunAsync("docker", arguments);

    // Not ReadToEnd: a child that outlives the program would keep the pipe open.
    private static async Task<string> ReadAsync(StreamReader reader)
    {
        var text = new StringBuilder();
        while (await reader.ReadLineAsync() is { } line)
            text.Append(line).Append('\n');
        return text.ToString();
    }
}
