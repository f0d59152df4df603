namespace Weir.Stack.Tests.Running;

/// <summary>
/// A copy of the repository's files, without what was built and without anybody's .env and secrets. Tests edit sources and settings in it, and the
/// checkout of whoever runs them stays as it is.
/// </summary>
internal static class Checkout
{
    private static readonly string[] LeftOut = [".git", ".vs", ".idea", "artifacts", "bin", "obj", "node_modules", "secrets", "backups", ".env", "TestResults"];

    /// <summary>The repository that the tests were built from.</summary>
    public static string Repository { get; } = FindRepository();

    /// <summary>Copies the repository into a new folder.</summary>
    public static string Copy(string folder)
    {
        Copy(Repository, folder);
        // Development's secrets are public, and part of the repository.
        Copy(Path.Combine(Repository, "deploy/development/secrets"), Path.Combine(folder, "deploy/development/secrets"));
        return folder;
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from).Where(static f => !LeftOut.Contains(Path.GetFileName(f))))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
        foreach (var folder in Directory.EnumerateDirectories(from).Where(static f => !LeftOut.Contains(Path.GetFileName(f))))
            Copy(folder, Path.Combine(to, Path.GetFileName(folder)));
    }

    private static string FindRepository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Weir.slnx")))
            folder = folder.Parent ?? throw new InvalidOperationException("The tests do not run inside the repository.");
        return folder.FullName;
    }
}
