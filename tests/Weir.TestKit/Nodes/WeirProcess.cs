using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace Weir.TestKit.Nodes;

/// <summary>
/// The built executable, run as users run it. It ends with the test, or at the latest with the test process. A test project that uses it refers to Weir.Cli, so that
/// the executable stands beside the tests.
/// </summary>
public sealed partial class WeirProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _errors = new();
    private readonly TaskCompletionSource<string> _url = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly EventHandler _onExit;
    private readonly Task _reading;

    private WeirProcess(string[] args)
    {
        var name = OperatingSystem.IsWindows() ? "weir.exe" : "weir";
        _process = Process.Start(new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, name), args)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        _onExit = (_, _) => Signals.Send(_process, Signals.Kill);
        AppDomain.CurrentDomain.ProcessExit += _onExit;
        _reading = Task.WhenAll(ReadAsync(_process.StandardOutput, _output), ReadAsync(_process.StandardError, _errors));
    }

    /// <summary>What was written to standard output so far.</summary>
    public string Output => Locked(_output);

    /// <summary>What was written to standard error so far.</summary>
    public string Errors => Locked(_errors);

    /// <summary>Starts a command and does not wait.</summary>
    public static WeirProcess Start(params string[] args) => new(args);

    /// <summary>Runs a command to its end.</summary>
    public static async Task<(int ExitCode, string Output, string Errors)> RunAsync(params string[] args)
    {
        await using var weir = new WeirProcess(args);
        return (await weir.ExitAsync(), weir.Output, weir.Errors);
    }

    /// <summary>Starts a node on this machine, on a free port unless the flags name one, and waits until it says where it listens.</summary>
    /// <exception cref="InvalidOperationException">The node ended without listening.</exception>
    /// <exception cref="TimeoutException">It did not say so in a minute.</exception>
    public static async Task<(WeirProcess Node, string Url)> ServeAsync(params string[] flags)
    {
        string[] port = flags.Contains("--node-port") ? [] : ["--node-port", "0"];
        var node = new WeirProcess(["serve", "--listen-address", "127.0.0.1", .. port, .. flags]);
        try
        {
            return (node, await node._url.Task.WaitAsync(Patience));
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits for the end.</summary>
    /// <exception cref="TimeoutException">It did not come in a minute.</exception>
    public async Task<int> ExitAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Patience);
        await _reading;
        return _process.ExitCode;
    }

    /// <summary>Ends the process without asking it.</summary>
    public void End() => Signals.Send(_process, Signals.Kill);

    /// <summary>Asks the process to stop, as an orchestrator does.</summary>
    public void Terminate() => Signals.Send(_process, Signals.Terminate);

    public async ValueTask DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= _onExit;
        End();
        await _reading;
        _process.Dispose();
    }

    private async Task ReadAsync(StreamReader reader, StringBuilder text)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (text)
                text.Append(line).Append('\n');
            if (Address().Match(line) is { Success: true } match)
                _url.TrySetResult(match.Value);
        }
        // Nobody can say an address any more.
        if (ReferenceEquals(text, _output))
            _url.TrySetException(new InvalidOperationException($"The node ended without listening. {Errors}"));
    }

    private static string Locked(StringBuilder text)
    {
        lock (text)
            return text.ToString();
    }

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+", RegexOptions.NonBacktracking)]
    private static partial Regex Address();
}
