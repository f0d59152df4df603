using System.Diagnostics;

namespace Weir.TestKit.Redis;

/// <summary>A clock for servers that a test steps while they run, as an administrator or a time service would step the clock of their machine.</summary>
public sealed class SteppedClock : IDisposable
{
    private static readonly string Library = Path.Combine(AppContext.BaseDirectory, "stepped-clock.so");
    private static readonly Lazy<string?> Problem = new(Compile);

    private readonly string _offsetFile = Path.GetTempFileName();

    /// <summary>Makes a clock that shows the time.</summary>
    public SteppedClock() => Set(0);

    /// <summary>Why no server's clock can be stepped here; null when it can. Tests skip themselves with it.</summary>
    public static string? Unavailable => RedisServer.Unavailable ?? Problem.Value;

    /// <summary>Starts a server that goes by this clock.</summary>
    public Task<RedisServer> StartServerAsync(params string[] arguments) => RedisServer.StartAsync(
        port => ["--port", $"{port}", .. arguments], environment: new Dictionary<string, string> { ["LD_PRELOAD"] = Library, ["STEPPED_CLOCK"] = _offsetFile });

    /// <summary>Lets the clock show so many seconds more than the system's from now on; negative: less.</summary>
    public void Set(long seconds)
    {
        // In place: servers have mapped the file.
        using var file = new FileStream(_offsetFile, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        file.Write(BitConverter.GetBytes(seconds));
    }

    public void Dispose() => File.Delete(_offsetFile);

    private static string? Compile()
    {
        if (!OperatingSystem.IsLinux())
            return "A server's clock is stepped by preloading a library, which is done on Linux only.";
        try
        {
            var source = Path.Combine(AppContext.BaseDirectory, "stepped-clock.c");
            using var compiler = Process.Start(new ProcessStartInfo("cc", ["-shared", "-fPIC", "-O1", "-o", Library, source]) { RedirectStandardError = true, UseShellExecute = false })!;
            var problems = compiler.StandardError.ReadToEnd();
            compiler.WaitForExit();
            return compiler.ExitCode == 0 ? null : $"cc cannot make the library that steps a server's clock. It lacks libc6-dev, perhaps. It says: {problems}";
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "cc is not on the PATH, and the library that steps a server's clock needs it. Install it, for example with: apt-get install gcc libc6-dev.";
        }
    }
}
