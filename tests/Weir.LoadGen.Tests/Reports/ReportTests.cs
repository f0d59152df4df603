using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using Weir.LoadGen.Profiles;
using Weir.LoadGen.Proof;
using Weir.LoadGen.Reports;
using Weir.LoadGen.Reports.Html;
using Weir.LoadGen.Running;

namespace Weir.LoadGen.Tests.Reports;

public sealed class ReportTests
{
    private static readonly Promise TenASecond = Promise.TryParse("10/1s")!;

    [Fact]
    public void Summary_TellsEverythingThatMatters()
    {
        var text = SummaryOf(Runs.Make(TenASecond, Runs.TooMuch("alice")));

        Assert.Equal("""

            done: 10s, 2 targets, keys: 10, drawn evenly

              asked    240    24/s
              sent     210    21/s
              allowed   80  38.1 %
              limited  120  57.1 %
              failed    10   4.8 %
              skipped    3   1.3 %


            """.ReplaceLineEndings("\n"), text.Split("  latency")[0]);
        Assert.Matches("BURST +42 +16 +24 +2 +1 ", text);
        Assert.Matches("  a:8001 +110 +40 +60 +10 ", text);
        Assert.Matches("no answer in time +5\n", text);
        Assert.Matches("status 503 +5\n", text);
        Assert.Contains("3 requests could not leave within 250 ms of their time and were skipped", text);
        Assert.Contains("  PROMISE BROKEN: 10 per 1s, sliding-window\n    80 admitted and 120 refused, 10 keys; the fullest window held 9 for sure; an excess of more than 2 in one window could not have hidden\n"
            + "    admitted too much: once\n      key 'alice' at 1.000 s: 11 admitted within 500ms, where 10 are allowed in 1s (a:8001: 6, b:8002: 5)\n    A note about <this> run.\n", text);
        Assert.EndsWith("  MISSED  max-p99: at most 5.00 ms, reached 901 ms\n  held    min-rate: at least 10/s, reached 20/s\n", text);
    }

    [Fact]
    public void Summary_OnATerminalOf80Columns_HasNoLineThatIsWider()
    {
        var run = Runs.Make(TenASecond, Runs.TooMuch("alice"));
        using var output = new StringWriter { NewLine = "\n" };

        Summary.Write(run, output, hasColor: false, columns: 80);

        Assert.All(output.ToString().Split('\n'), static l => Assert.True(l.Length <= 80, l));
        Assert.Equal(Words(SummaryOf(run)), Words(output.ToString()));
    }

    [Theory]
    [InlineData("0,1|2", "c:1 counts for itself: alone it keeps the promise, and so do a:1 and b:1 without it.")]
    [InlineData("0|1|2", "a:1, b:1 and c:1 count each for itself: each alone keeps the promise, all together do not.")]
    [InlineData("0|1,2", "a:1 counts for itself: alone it keeps the promise, and so do b:1 and c:1 without it.")]
    [InlineData("0,1|2|3", "The targets count apart, each of these sets for itself: a:1 and b:1; c:1; d:1.")]
    [InlineData("", null)]
    public void Apart_NamesWhoCountsForItself(string sets, string? expected)
    {
        var run = Runs.Make(TenASecond);
        run = run with { Targets = [.. "abcd".Select(static c => new Sending.Target(new Uri($"http://{c}:1"), null))] };
        var proof = run.Proof! with { Apart = [.. sets.Split('|', StringSplitOptions.RemoveEmptyEntries).Select(static s => (IReadOnlyList<int>)[.. s.Split(',').Select(int.Parse)])] };

        Assert.Equal(expected, ProofText.Apart(proof, run));
    }

    [Fact]
    public void Summary_OfAPromiseThatWasKept_SaysSo() => Assert.Contains("\n  promise kept: 10 per 1s, sliding-window\n", SummaryOf(Runs.Make(TenASecond)));

    [Fact]
    public void Json_HasTheFiguresOfTheRun()
    {
        var report = JsonDocument.Parse(JsonReport.Of(Runs.Make(TenASecond, Runs.TooMuch("alice")))).RootElement;

        Assert.Equal((1, false, 10, 240), (report.GetProperty("schema").GetInt32(), report.GetProperty("success").GetBoolean(), report.GetProperty("seconds").GetInt32(), report.GetProperty("requests").GetProperty("asked").GetInt32()));
        Assert.Equal(10, report.GetProperty("timeline").GetArrayLength());
        Assert.Equal(["STEADY", "BURST"], report.GetProperty("phases").EnumerateArray().Select(static p => p.GetProperty("phase").GetString()));
        Assert.Equal(900, report.GetProperty("latency_ms").GetProperty("response").GetProperty("max").GetDouble());
        Assert.Equal("alice", report.GetProperty("proof").GetProperty("findings")[0].GetProperty("key").GetString());
        Assert.Equal(6, report.GetProperty("proof").GetProperty("findings")[0].GetProperty("by_target")[0].GetProperty("count").GetInt32());
    }

    [Fact]
    public void Csv_HasALineForEverySecond()
    {
        var lines = CsvReport.Of(Runs.Make()).TrimEnd('\n').Split('\n');

        Assert.Equal(11, lines.Length);
        Assert.All(lines, static l => Assert.Equal(14, l.Split(',').Length));
        Assert.StartsWith("6,7,BURST,40,21,8,12,1,0,3,", lines[7]);
    }

    [Fact]
    public void Html_IsOnePageWithThreePlots_AndNothingFromOutside()
    {
        var page = HtmlReport.Of(Runs.Make(TenASecond, Runs.TooMuch("alice")));

        Assert.Equal(3, page.Split("<svg ").Length - 1);
        Assert.DoesNotContain("src=", page);
        Assert.DoesNotContain("<link", page);
        Assert.DoesNotContain("@import", page);
        Assert.Contains("prefers-color-scheme: dark", page);
        Assert.Contains("promise broken", page);
        Assert.Contains("thresholds missed", page);
        // Well-formed, but for what HTML leaves open.
        var body = page[page.IndexOf("<body>", StringComparison.Ordinal)..page.IndexOf("<script>", StringComparison.Ordinal)] + "</body>";
        Assert.NotEmpty(XDocument.Parse(body).Descendants("path"));
    }

    [Fact]
    public void Html_EscapesWhatComesFromOutside()
    {
        var page = HtmlReport.Of(Runs.Make(TenASecond, Runs.TooMuch("<script>alert(1)</script>\"'")));

        Assert.DoesNotContain("<script>alert", page);
        Assert.Contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;", page);
    }

    [Fact]
    public void Html_OfARunWithoutAnyAnswer_HasNoLatencies()
    {
        var run = Runs.Make();
        run = run with { Stats = new LoadGen.Measuring.RunStats(2), Points = [], Thresholds = [] };

        var page = HtmlReport.Of(run);

        Assert.Equal(1, page.Split("<svg ").Length - 1);
        Assert.DoesNotContain("NaN", page);
    }

    [Fact]
    public void StatusLine_SaysThePhaseAndTheRates()
    {
        var run = Runs.Make();
        var interval = new LoadGen.Measuring.Interval(run.Stats).Take(10);

        var line = StatusLine.Of(interval, [.. run.Points], 7, 100, isClosed: false);

        Assert.Matches(@"^\[00:00:10\] STEADY 80%  asked 24/s  sent 21/s  allowed 8/s  limited 12/s  failed 10  skipped 3  in flight 7/100  p50 [0-9.]+ ms  p99 [0-9.]+ ms  max [0-9.]+ ms$", line);
    }

    [Theory]
    [InlineData(4, 6, "BURST")]
    [InlineData(0, 6, "STEADY")]
    [InlineData(4, 8, "BURST 50%")]
    public void StatusLine_OfAMixedInterval_NamesTheLongerPhaseAndItsShare(int from, int to, string expected)
    {
        var points = Runs.Make().Points.Skip(from + 2).Take(to - from).ToList();
        if (from == 0)
            points = [.. Runs.Make().Points.Take(6)];

        var line = StatusLine.Of(points[0], points, 0, 1, isClosed: false);

        Assert.Contains($"] {expected} ", line);
    }

    [Theory]
    [InlineData(80, 24)]
    [InlineData(200, 50)]
    [InlineData(40, 10)]
    [InlineData(10, 3)]
    public void LiveFrame_FitsTheTerminal(int columns, int rows)
    {
        var run = Runs.Make();
        var frame = new LiveFrame(run.Config, run.Targets, run.Stats);

        var lines = frame.Draw(new LiveMoment(7.5, 40, Phase.Burst, 3, run.Points, null), columns, rows).ConvertAll(line => Text(line, columns));

        Assert.True(lines.Count < rows);
        Assert.All(lines, l => Assert.True(l.Length <= columns));
        Assert.Contains("BURST", lines[0][..Math.Min(columns, 10)]);
    }

    [Fact]
    public void LiveFrame_ShowsRatesOutcomesLatenciesAndTimeLeft()
    {
        var run = Runs.Make();
        var frame = new LiveFrame(run.Config, run.Targets, run.Stats);

        var text = string.Join('\n', frame.Draw(new LiveMoment(7.5, 40, Phase.Burst, 3, run.Points, null), 100, 40).Select(static l => Text(l, 100)));

        Assert.Contains("3s left of 10s", text);
        Assert.Matches(@"rate +asked 40/s +reached 21/s +in flight 3 of 100\n +schedule +skipped 3 +lag, median 0\.100 ms", text);
        Assert.Matches(@"allowed +80 +38\.1 % +8/s +█+", text);
        Assert.Matches(@"limited +120 +57\.1 % +12/s +█+", text);
        Assert.Matches(@"failed +10 +4\.8 % +1/s +█+", text);
        Assert.Contains("██████████", text.Split('\n')[4]);
        Assert.Matches(@"last second +20\.\d ms", text);
        Assert.Matches(@"  b:8002 +100 +40 +60 +0", text);
    }

    private static string Words(string text) => string.Join(' ', text.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries));

    private static string Text(StyledLine line, int columns)
    {
        var text = new StringBuilder();
        line.Write(text, columns, hasColor: false);
        return text.ToString();
    }

    private static string SummaryOf(RunResult run)
    {
        using var output = new StringWriter { NewLine = "\n" };
        Summary.Write(run, output, hasColor: false);
        return output.ToString();
    }
}
