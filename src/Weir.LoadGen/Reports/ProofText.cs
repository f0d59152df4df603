using Weir.LoadGen.Proof;
using Weir.LoadGen.Running;

namespace Weir.LoadGen.Reports;

/// <summary>Says in words what the proof found out.</summary>
internal static class ProofText
{
    private const int MostLines = 5;

    /// <summary>The one sentence that matters.</summary>
    public static string Headline(ProofResult proof) => proof.IsKept
        ? $"promise kept: {proof.Promise}"
        : $"PROMISE BROKEN: {proof.Promise}";

    /// <summary>What a kind of fault is called.</summary>
    public static string NameOf(Fault fault) => fault switch
    {
        Fault.OverAdmitted => "admitted too much",
        Fault.WronglyRefused => "refused although there was room",
        Fault.WrongRemaining => "X-RateLimit-Remaining was wrong",
        Fault.WrongRetryAfter => "Retry-After was wrong",
        _ => "X-RateLimit-Limit was wrong",
    };

    /// <summary>How strong the proof is, in a sentence.</summary>
    public static string Evidence(ProofResult proof)
    {
        var text = $"{proof.Admitted:N0} admitted and {proof.Refused:N0} refused, {Summary.Plural(proof.Keys, "key")}";
        if (proof.Fullest is { } fullest)
            text += $"; the fullest window held {fullest:N0} for sure";
        if (proof.BlindSpot is { } blind)
            text += $"; an excess of more than {blind:N0} in one window could not have hidden";
        return text;
    }

    /// <summary>Which targets count for themselves, in a sentence; null where nothing can be told.</summary>
    public static string? Apart(ProofResult proof, RunResult run)
    {
        var sets = proof.Apart.Select(set => Join([.. set.Select(i => run.Targets[i].ShortName)])).ToList();
        var alone = proof.Apart.Index().Where(static s => s.Item.Count == 1).Select(s => sets[s.Index]).ToList();
        return (sets.Count, alone.Count) switch
        {
            (0, _) => null,
            (2, 1) => $"{alone[0]} counts for itself: alone it keeps the promise, and so do {sets.Find(s => s != alone[0])} without it.",
            var (all, ones) when all == ones => $"{Join(sets)} count each for itself: each alone keeps the promise, all together do not.",
            _ => $"The targets count apart, each of these sets for itself: {string.Join("; ", sets)}.",
        };
    }

    /// <summary>A finding in a line.</summary>
    public static string Line(Finding finding, RunResult run)
    {
        var targets = finding.ByTarget.Select((count, index) => (count, index)).Where(static t => t.count > 0).ToList();
        var where = targets.Count switch
        {
            0 => "",
            1 => $" ({run.Targets[targets[0].index].ShortName})",
            _ => $" ({string.Join(", ", targets.Select(t => $"{run.Targets[t.index].ShortName}: {t.count:N0}"))})",
        };
        return $"key '{finding.Key}' at {Seconds(finding.Time.From)}: {finding.Text}{where}";
    }

    /// <summary>Writes everything about the proof.</summary>
    public static void Write(RunResult run, TextWriter output, bool hasColor, int columns)
    {
        if (run.Proof is not { } proof)
            return;
        output.WriteLine();
        output.WriteLine($"  {StyledLine.Paint(Headline(proof), proof.IsKept ? Style.Good : Style.Failed, hasColor)}");
        if (Apart(proof, run) is { } apart)
            Prose.Write(output, 4, apart, columns);
        Prose.Write(output, 4, Evidence(proof), columns);
        foreach (var (fault, count) in proof.Counts.OrderBy(static c => c.Key))
        {
            output.WriteLine($"    {NameOf(fault)}: {Often(count)}");
            foreach (var finding in proof.Findings.Where(f => f.Fault == fault).Take(MostLines))
                Prose.Write(output, 6, Line(finding, run), columns);
            if (count > MostLines)
                output.WriteLine($"      and {count - MostLines:N0} more");
        }
        foreach (var note in proof.Notes)
            Prose.Write(output, 4, note, columns);
    }

    private static string Seconds(long nanos) => $"{nanos / 1e9:N3} s";

    private static string Join(List<string> names) => names.Count < 2 ? string.Concat(names) : $"{string.Join(", ", names.Take(names.Count - 1))} and {names[^1]}";

    private static string Often(long count) => count == 1 ? "once" : $"{count:N0} times";
}
