using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Weir.TestKit;

/// <summary>Signals to processes that a test has started.</summary>
internal static class Signals
{
    public const int Kill = 9;
    public const int Terminate = 15;
    public const int Continue = 18;
    public const int Stop = 19;

    /// <summary>Sends a signal to a process if it still runs.</summary>
    public static void Send(Process? process, int signal)
    {
        if (process is { HasExited: false })
            _ = SendSignal(process.Id, signal);
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int pid, int signal);
}
