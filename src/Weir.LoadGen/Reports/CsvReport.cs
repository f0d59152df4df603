using System.Globalization;
using System.Text;
using Weir.LoadGen.Running;

namespace Weir.LoadGen.Reports;

/// <summary>What happened second by second, a line each. Latencies are response times in milliseconds, empty where nothing was answered.</summary>
internal static class CsvReport
{
    /// <summary>The text of the file.</summary>
    public static string Of(RunResult run)
    {
        var text = new StringBuilder("start_s,end_s,phase,asked,sent,allowed,limited,failed,skipped,in_flight,p50_ms,p90_ms,p99_ms,max_ms\n");
        foreach (var p in run.Points)
        {
            text.Append(CultureInfo.InvariantCulture, $"{p.Start:0.###},{p.End:0.###},{StatusLine.NameOf(p.Phase)},{p.Asked:0.###},{p.Sent},")
                .Append(CultureInfo.InvariantCulture, $"{p.Allowed},{p.Limited},{p.Failed},{p.Skipped},{p.InFlight}");
            foreach (var nanos in new[] { p.P50, p.P90, p.P99, p.Greatest })
                text.Append(',').Append(nanos == 0 ? "" : (nanos / 1e6).ToString("0.######", CultureInfo.InvariantCulture));
            text.Append('\n');
        }
        return text.ToString();
    }
}
