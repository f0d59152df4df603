using System.Text.Json;
using Weir.LoadGen.Running;

namespace Weir.LoadGen.Tests.Running;

/// <summary>Runs loads as the command does, and reads their report.</summary>
internal sealed class Load : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("weir-load-").FullName;
    private readonly StringWriter _output = new() { NewLine = "\n" };
    private readonly StringWriter _errors = new() { NewLine = "\n" };

    public LoadInterrupts Interrupts { get; } = new();

    public int ExitCode { get; private set; }

    public string Output => _output.ToString();

    public string Errors => _errors.ToString();

    /// <summary>The report, once the run is over.</summary>
    public JsonElement Report { get; private set; }

    public static async Task<Load> RunAsync(string flags)
    {
        var load = new Load();
        await load.StartAsync(flags);
        return load;
    }

    /// <summary>Runs with flags as one would write them, without quotes; {0} stands for a folder of the test's own.</summary>
    public async Task StartAsync(string flags)
    {
        var path = Path.Combine(_folder, "report.json");
        // A busy machine answers late, and that is not what a test looks at unless it says so.
        var patience = flags.Contains("--timeout", StringComparison.Ordinal) ? "" : " --timeout 2m";
        var words = $"{flags}{patience} --json {path}".Replace("{0}", _folder, StringComparison.Ordinal).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var given = new List<KeyValuePair<string, IReadOnlyList<string>>>();
        for (var i = 0; i < words.Length; i++)
        {
            // A flag takes all words up to the next, so that values may have spaces.
            var values = words.Skip(i + 1).TakeWhile(static w => !w.StartsWith("--", StringComparison.Ordinal)).ToList();
            given.Add(KeyValuePair.Create<string, IReadOnlyList<string>>(words[i][2..], values.Count == 0 ? [] : [string.Join(' ', values)]));
            i += values.Count;
        }
        ExitCode = await LoadProgram.RunAsync(given, static _ => null, new LoadConsole(_output, _errors), Interrupts);
        if (File.Exists(path))
            Report = JsonDocument.Parse(await File.ReadAllTextAsync(path)).RootElement;
    }

    /// <summary>A number of the report, by names with dots between them.</summary>
    public double Number(string path) => path.Split('.').Aggregate(Report, static (element, name) => element.GetProperty(name)).GetDouble();

    /// <summary>How often something failed, by its name; 0 when it did not.</summary>
    public double Failures(string name) => Report.GetProperty("failures").EnumerateArray().Where(f => f.GetProperty("name").GetString() == name).Sum(static f => f.GetProperty("count").GetDouble());

    /// <summary>A file that the run wrote.</summary>
    public string PathOf(string name) => Path.Combine(_folder, name);

    public void Dispose()
    {
        Interrupts.Dispose();
        _output.Dispose();
        _errors.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
