using System.Globalization;
using System.Runtime.InteropServices;

namespace AgentApi.Tests.Servers;

/// <summary>
/// The programs of PostgreSQL on this machine, and the user that runs them. They refuse to run as root; for root they run as <c>postgres</c>, or as
/// <c>nobody</c> where there is no such user.
/// </summary>
internal static class PostgresPrograms
{
    private const string Debian = "/usr/lib/postgresql";

    private static readonly Lazy<string?> Found = new(Find);

    /// <summary>Why no server can be started here; null when one can. Tests skip themselves with it.</summary>
    public static string? Unavailable => Found.Value is null
        ? $"initdb and postgres are not on the PATH and not under {Debian}. Install them, for example with: apt-get install postgresql."
        : IsRoot && Servant is null
            ? "PostgreSQL does not run as root, and there is neither setpriv with a user postgres nor with a user nobody."
            : null;

    /// <summary>The user and group that the server runs as; null when it runs as whoever runs the tests.</summary>
    public static (uint User, uint Group)? Servant { get; } = IsRoot && Which("setpriv") is not null ? Account("postgres") ?? Account("nobody") : null;

    private static bool IsRoot => UserId() == 0;

    /// <summary>The command line that runs one of the programs. The process is the program itself: what runs before it gives way to it.</summary>
    public static (string Program, string[] Arguments) Command(string program, params string[] arguments)
    {
        var path = Path.Combine(Found.Value!, program);
        return Servant is { } servant
            ? (Which("setpriv")!, [$"--reuid={servant.User}", $"--regid={servant.Group}", "--clear-groups", "--", path, .. arguments])
            : (path, arguments);
    }

    /// <summary>Makes a folder that the server may use.</summary>
    public static string MakeFolder(string prefix)
    {
        var folder = Directory.CreateTempSubdirectory(prefix).FullName;
        Give(folder);
        return folder;
    }

    /// <summary>Gives a file or folder to the user that the server runs as.</summary>
    public static void Give(string path)
    {
        if (Servant is { } servant && ChangeOwner(path, servant.User, servant.Group) != 0)
            throw new IOException($"{path} cannot be given to user {servant.User}: error {Marshal.GetLastPInvokeError()}.");
    }

    private static string? Find()
    {
        var versions = Directory.Exists(Debian)
            ? Directory.GetDirectories(Debian).OrderByDescending(static d => double.TryParse(Path.GetFileName(d), CultureInfo.InvariantCulture, out var version) ? version : 0)
            : Enumerable.Empty<string>();
        // Where they are linked from the PATH, what belongs to them lies beside what the link points to.
        string?[] linked = [Which("initdb") is { } path ? Path.GetDirectoryName(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path) : null];
        return linked.OfType<string>().Concat(versions.Select(static v => Path.Combine(v, "bin")))
            .FirstOrDefault(static folder => File.Exists(Path.Combine(folder, "initdb")) && File.Exists(Path.Combine(folder, "postgres")));
    }

    private static string? Which(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    private static (uint User, uint Group)? Account(string name)
    {
        if (!File.Exists("/etc/passwd"))
            return null;
        var fields = File.ReadLines("/etc/passwd").Select(static line => line.Split(':')).FirstOrDefault(f => f.Length > 3 && f[0] == name);
        return fields is null ? null : (uint.Parse(fields[2], CultureInfo.InvariantCulture), uint.Parse(fields[3], CultureInfo.InvariantCulture));
    }

    [DllImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern uint UserId();

    [DllImport("libc", EntryPoint = "chown", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int ChangeOwner([MarshalAs(UnmanagedType.LPUTF8Str)] string path, uint user, uint group);
}
