using System.Diagnostics;

namespace Weir.TestKit.Redis;

/// <summary>A clock for servers that a test steps while they run, as an administrator or a time service would step the clock of their machine.</summary>
public sealed class SteppedClock : IDisposable
{
    private readonly string _directory;

    private SteppedClock(string directory) => _directory = directory;

    /// <summary>Makes a clock that shows the time.</summary>
    /// <param name="clock">The clock; null where it cannot be made.</param>
    /// <returns>Why it cannot be made; null when it can.</returns>
    public static string? TryCreate(out SteppedClock? clock)
    {
        clock = new SteppedClock(Directory.CreateTempSubdirectory("weir-clock-").FullName);
        if (clock.Compile() is { } problem)
        {
            clock.Dispose();
            clock = null;
            return problem;
        }
        clock.Set(0);
        return null;
    }

    /// <summary>Starts a server that goes by this clock.</summary>
    public Task<RedisServer> StartServerAsync(params string[] arguments) => RedisServer.StartAsync(
        port => ["--port", $"{port}", .. arguments], environment: new Dictionary<string, string> { ["LD_PRELOAD"] = Library, ["STEPPED_CLOCK"] = OffsetFile });

    /// <summary>Lets the clock show so many seconds more than the system's from now on; negative: less.</summary>
    public void Set(long seconds)
    {
        // In place: servers have mapped the file.
        using var file = new FileStream(OffsetFile, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        file.Write(BitConverter.GetBytes(seconds));
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private string Library => Path.Combine(_directory, "stepped-clock.so");

    private string OffsetFile => Path.Combine(_directory, "offset");

    private string? Compile()
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
