using Weir.LoadGen.Reports.Html;
using Weir.LoadGen.Running;

namespace Weir.LoadGen.Reports;

/// <summary>Writes the files that were asked for.</summary>
internal static class ReportWriter
{
    /// <summary>Writes them all, also when one of them fails.</summary>
    /// <returns>The paths that were written.</returns>
    public static async Task<List<string>> WriteAsync(RunResult run, ICollection<string> problems)
    {
        var written = new List<string>();
        foreach (var (setting, path) in run.Config.Files.All)
        {
            try
            {
                await File.WriteAllTextAsync(path, setting switch { "json" => JsonReport.Of(run), "html" => HtmlReport.Of(run), _ => CsvReport.Of(run) });
                written.Add(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                problems.Add($"--{setting}: '{path}' cannot be written: {e.Message.TrimEnd('.')}.");
            }
        }
        return written;
    }
}
