using System.Diagnostics;
using System.IO.Compression;
using System.Reflection;
using System.Text;

[assembly: AssemblyFixture(typeof(Weir.Packaging.Tests.Workplace))]

namespace Weir.Packaging.Tests;

/// <summary>
/// A folder of its own with the packages, made once for all tests. Its version is one that no cache can know, and its packages folder is empty at first.
/// </summary>
public sealed class Workplace : IAsyncLifetime
{
    public static readonly IReadOnlyList<string> Names = ["Weir.Core", "Weir.Resp", "Weir.Redis", "Weir.AspNetCore"];
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    public string Version { get; } = $"0.0.1-test.{Guid.NewGuid():N}";

    public string Folder { get; } = Directory.CreateTempSubdirectory("weir-packages-").FullName;

    public string Feed => Path.Combine(Folder, "feed");

    /// <summary>The built program of a node.</summary>
    public static string Node => Path.Combine(Metadata("ArtifactsRoot"), "bin", "Weir.Cli", Metadata("Configuration").ToLowerInvariant(), "weir.dll");

    public async ValueTask InitializeAsync()
    {
        // What lies above a folder for temporary files is no business of ours.
        foreach (var name in new[] { "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props" })
            await File.WriteAllTextAsync(Path.Combine(Folder, name), "<Project />");
        Directory.CreateDirectory(Feed);
        var projects = string.Join(';', Names.Select(name => Path.Combine(Metadata("SourceRoot"), name, $"{name}.csproj")));
        await File.WriteAllTextAsync(Path.Combine(Folder, "pack.proj"), $"""
            <Project>
              <Target Name="Pack">
                <MSBuild Projects="{projects}" Targets="Pack"
                  Properties="Configuration={Metadata("Configuration")};NoBuild=true;PackageVersion={Version};PackageOutputPath={Feed};NuspecOutputPath={Path.Combine(Folder, "nuspec")}" />
              </Target>
            </Project>
            """);
        await RunAsync("msbuild", "pack.proj", "-t:Pack", "-v:quiet", "-nologo", "-nodeReuse:false");
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(Folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    /// <summary>Runs a command of the SDK in this folder, to its end and with success.</summary>
    public async Task<string> RunAsync(params string[] arguments)
    {
        using var process = Start(arguments);
        var output = new StringBuilder();
        var reading = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
        try
        {
            await process.WaitForExitAsync().WaitAsync(Patience);
            await reading;
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
        Assert.True(process.ExitCode == 0, $"dotnet {string.Join(' ', arguments)} ended with {process.ExitCode}:\n{output}");
        return output.ToString();

        async Task ReadAsync(StreamReader reader)
        {
            while (await reader.ReadLineAsync() is { } line)
            {
                lock (output)
                    output.AppendLine(line);
            }
        }
    }

    /// <summary>Starts <c>dotnet</c> in this folder, without anything to read from.</summary>
    public Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments)
        {
            WorkingDirectory = Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        // What a test host or an outer build has set for itself must not reach another build.
        foreach (var name in start.Environment.Keys.Where(static n => n.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList())
            start.Environment.Remove(name);
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_NOLOGO"] = "1";
        start.Environment["NUGET_PACKAGES"] = Path.Combine(Folder, "packages");
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }

    /// <summary>Writes a file into the folder.</summary>
    public Task WriteAsync(string name, string text) => File.WriteAllTextAsync(Path.Combine(Folder, name), text);

    /// <summary>The C# of a package's README.</summary>
    public string ReadmeCode(string package)
    {
        using var file = ZipFile.OpenRead(Path.Combine(Feed, $"{package}.{Version}.nupkg"));
        using var reader = new StreamReader(file.GetEntry("README.md")!.Open());
        var text = reader.ReadToEnd();
        const string Begin = "```csharp\n";
        var from = text.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        return text[from..text.IndexOf("```", from, StringComparison.Ordinal)];
    }

    private static string Metadata(string key) =>
        typeof(Workplace).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == key).Value!;
}
