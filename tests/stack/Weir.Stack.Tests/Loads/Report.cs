namespace Weir.Stack.Tests.Loads;

/// <summary>What a load met.</summary>
internal sealed class Report(List<Answer> answers)
{
    public List<Answer> Answers => answers;

    public int Failures => answers.Count(static a => a.IsFailure);

    /// <summary>Who answered, and how often.</summary>
    public Dictionary<string, int> ServedBy => answers.Where(static a => a.ServedBy is not null).CountBy(static a => a.ServedBy!).ToDictionary();

    // Processors on which the stack's services have about what their limits let them use. With fewer, everybody stands still at times for longer than a decision may
    // wait, most of all while instances start.
    private const int EnoughProcessors = 8;

    /// <summary>
    /// Fails the test when more requests failed than may, or when hardly any was sent. On a machine with few processors one in 200 may besides be refused with the words
    /// that the limiter could not decide in time; a request that is lost, cut off or answered by nobody is a failure everywhere.
    /// </summary>
    public Report AtMost(int failures, string during)
    {
        Assert.True(answers.Count > 100, $"Only {answers.Count} requests were sent; that shows nothing.");
        var undecided = answers.Count(static a => a.IsUndecided);
        var excused = Environment.ProcessorCount < EnoughProcessors ? Math.Min(undecided, answers.Count / 200) : 0;
        Assert.True(Failures - excused <= failures, $"{Failures} of {answers.Count} requests failed during {during}: {Kinds()}");
        return this;
    }

    /// <summary>When an instance was last and first heard of after an instant; both are null when it was not.</summary>
    public (TimeSpan? First, TimeSpan? Last) Heard(string instance, TimeSpan after)
    {
        var heard = answers.Where(a => a.ServedBy == instance && a.At > after).Select(static a => a.At).ToList();
        return heard.Count == 0 ? (null, null) : (heard.Min(), heard.Max());
    }

    /// <summary>Numbers for the table.</summary>
    public override string ToString()
    {
        var times = answers.Select(static a => (a.At - a.SentAt).TotalMilliseconds).Order().ToList();
        return $"{answers.Count} requests, {Failures} failed{(Failures > 0 ? $" ({Kinds()})" : "")}, p50 {times[times.Count / 2]:0} ms, p99 {times[(int)(times.Count * 0.99)]:0} ms, max {times[^1]:0} ms";
    }

    private string Kinds() => string.Join(", ", answers.Where(static a => a.IsFailure).GroupBy(static a => a.Error ?? $"{a.Status}")
        .Select(static g => $"{g.Key} × {g.Count()} from {g.Min(static a => a.SentAt).TotalSeconds:0.0} to {g.Max(static a => a.At).TotalSeconds:0.0} s"));
}
