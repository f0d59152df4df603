using System.Runtime.InteropServices;

namespace Weir.LoadGen.Scheduling;

/// <summary>How the schedule's own thread waits for the next request.</summary>
internal abstract class Pause
{
    /// <summary>The most exact way this system offers.</summary>
    public static Pause Create() => OperatingSystem.IsWindows() || !Environment.Is64BitProcess ? new TimerPause() : new KernelPause();

    /// <summary>Waits for about as long, or shorter when a signal comes in between.</summary>
    /// <param name="nanos">0 or more, below a second.</param>
    public abstract void For(long nanos);

    /// <summary>
    /// The kernel's high-resolution sleep: about 0.1 ms late where .NET's own waits, which count in milliseconds, are half a millisecond late or burn a core.
    /// </summary>
    private sealed class KernelPause : Pause
    {
        public override void For(long nanos) => _ = NanoSleep(new TimeSpec { Nanos = (nint)nanos }, 0);

        [DllImport("libc", EntryPoint = "nanosleep")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        private static extern int NanoSleep(in TimeSpec time, nint remaining);

        [StructLayout(LayoutKind.Sequential)]
        private struct TimeSpec
        {
            public nint Seconds;
            public nint Nanos;
        }
    }

    private sealed class TimerPause : Pause
    {
        private readonly object _never = new();

        public override void For(long nanos)
        {
            // Nobody pulses: this is a wait for a time, in whole milliseconds.
            lock (_never)
                Monitor.Wait(_never, (int)((nanos + 999_999) / 1_000_000));
        }
    }
}
