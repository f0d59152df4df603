using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Weir.TestKit.Redis;

/// <summary>
/// A real server on this machine, on a free port and with a folder of its own, without persistence. It ends with the test, or at the
/// latest with the test process.
/// </summary>
public sealed class RedisServer : IAsyncDisposable
{
    private const int BusOffset = 10_000;

    // Below the range from which systems take the ports of outgoing connections, so that those do not get in the way.
    private const int FirstPort = 12_000;
    private const int LastPort = 21_000;

    // Names the server to test with instead of the one on the PATH, for other versions and for Valkey.
    private const string ProgramVariable = "WEIR_REDIS_SERVER";

    private static readonly Lazy<string?> Program = new(Find);

    private readonly string[] _arguments;
    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly string _directory = Directory.CreateTempSubdirectory("weir-redis-").FullName;
    private readonly EventHandler _onExit;
    private Process? _process;

    private RedisServer(int port, string[] arguments, IReadOnlyDictionary<string, string>? environment)
    {
        Port = port;
        _arguments = arguments;
        _environment = environment ?? new Dictionary<string, string>();
        _onExit = (_, _) => Kill();
        AppDomain.CurrentDomain.ProcessExit += _onExit;
    }

    /// <summary>Why no server can be started here; null when one can. Tests skip themselves with it.</summary>
    public static string? Unavailable => Program.Value is null
        ? $"redis-server is not on the PATH. Install it, for example with: apt-get install redis-server. Or name a server with {ProgramVariable}."
        : null;

    /// <summary>The port of the server: the one for TLS when there is one.</summary>
    public int Port { get; }

    /// <summary>The folder that the server runs in. It is deleted at the end.</summary>
    public string WorkingFolder => _directory;

    /// <summary>The identifier of the process.</summary>
    public int ProcessId => _process!.Id;

    /// <summary>What the server wrote to its log.</summary>
    public string Log => File.Exists(LogFile) ? File.ReadAllText(LogFile) : "";

    private string LogFile => Path.Combine(_directory, "server.log");

    /// <summary>Starts a server and waits until it answers.</summary>
    /// <param name="arguments">Options as on its command line, for example <c>--requirepass</c>, <c>secret</c>.</param>
    public static Task<RedisServer> StartAsync(params string[] arguments) => StartAsync(port => ["--port", $"{port}", .. arguments]);

    /// <summary>Starts a server whose options depend on its port, and waits until something listens there.</summary>
    /// <param name="arguments">Options as on its command line, for a port.</param>
    /// <param name="configuration">The text of its configuration file, in which <c>{port}</c> stands for the port; null for none.</param>
    /// <param name="environment">Variables besides those of this process.</param>
    public static async Task<RedisServer> StartAsync(
        Func<int, string[]> arguments, string? configuration = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        for (var attempt = 0; ; attempt++)
        {
            var port = FreePort();
            var server = new RedisServer(port, arguments(port), environment);
            try
            {
                if (configuration is not null)
                    await File.WriteAllTextAsync(Path.Combine(server._directory, "server.conf"), configuration.Replace("{port}", $"{port}"));
                await server.StartAsync();
                return server;
            }
            catch when (attempt < 3)
            {
                // Another process may have taken the port in between.
                await server.DisposeAsync();
            }
        }
    }

    /// <summary>Starts the server again after it was killed: on the same port, and empty.</summary>
    public async Task StartAsync()
    {
        var configuration = Path.Combine(_directory, "server.conf");
        string[] common = ["--bind", "127.0.0.1", "--dir", _directory, "--logfile", LogFile];
        string[] storage = _arguments.Contains("--sentinel") || _arguments.Contains("--appendonly") ? [] : ["--save", "", "--appendonly", "no"];
        string[] file = File.Exists(configuration) ? [configuration] : [];
        var start = new ProcessStartInfo(Program.Value!, [.. file, .. _arguments, .. common, .. storage]) { UseShellExecute = false };
        foreach (var (name, value) in _environment)
            start.Environment[name] = value;
        _process = Process.Start(start)!;
        await Eventually.IsTrueAsync(() => _process.HasExited || IsListening(Port), $"a server listens on port {Port}");
        if (_process.HasExited)
            throw new InvalidOperationException($"redis-server ended with code {_process.ExitCode}. {Log}");
    }

    /// <summary>Sends a command as plainly as possible.</summary>
    public PlainReply Call(params string[] arguments) => PlainClient.Call(Port, arguments);

    /// <summary>Sends a command that must not be refused.</summary>
    /// <exception cref="InvalidOperationException">The server refuses it.</exception>
    public void Demand(params string[] arguments)
    {
        if (Call(arguments) is { IsError: true } reply)
            throw new InvalidOperationException($"{string.Join(' ', arguments)}: {reply.Text}");
    }

    /// <summary>Lets the server ask everybody for a password from now on, and give it to its primary. Tests cannot call it any more.</summary>
    public void RequirePassword(string password)
    {
        Demand("CONFIG", "SET", "masterauth", password);
        Demand("CONFIG", "SET", "requirepass", password);
    }

    /// <summary>Stops the process as it stands; connections stay open and nothing answers.</summary>
    public void Pause() => Signals.Send(_process, Signals.Stop);

    /// <summary>Lets a stopped process go on.</summary>
    public void Resume() => Signals.Send(_process, Signals.Continue);

    /// <summary>Ends the process at once, and with it its data.</summary>
    public async Task KillAsync()
    {
        Kill();
        await _process!.WaitForExitAsync();
    }

    /// <summary>Asks the process to end.</summary>
    public async Task StopAsync()
    {
        Signals.Send(_process, Signals.Terminate);
        await _process!.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        AppDomain.CurrentDomain.ProcessExit -= _onExit;
        if (_process is not null)
        {
            await KillAsync();
            _process.Dispose();
        }
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>A port that nothing uses, and whose Cluster bus port, 10,000 higher, is free too.</summary>
    public static int FreePort()
    {
        while (true)
        {
            var port = Random.Shared.Next(FirstPort, LastPort);
            if (IsFree(port) && IsFree(port + BusOffset))
                return port;
        }
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static bool IsListening(int port)
    {
        using var client = new TcpClient();
        client.Connect(IPAddress.Loopback, port);
        return true;
    }

    private static string? Find() => Environment.GetEnvironmentVariable(ProgramVariable) is { Length: > 0 } named
        ? named
        : (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .SelectMany(static folder => new[] { Path.Combine(folder, "redis-server"), Path.Combine(folder, "valkey-server") })
        .FirstOrDefault(File.Exists);

    private void Kill() => Signals.Send(_process, Signals.Kill);
}
