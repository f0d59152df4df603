namespace Weir.Server.Deciding;

/// <summary>Turns what is wrong with a rule that a request asked for into an error that names the request's field.</summary>
internal static class RuleProblems
{
    /// <param name="problems">Problems of one rule, as <see cref="Rule.TryCreate"/> words them: <c>Rule 'name': field value ...</c>. At least one.</param>
    public static InputException ToInput(IReadOnlyList<string> problems)
    {
        var first = Bare(problems[0]);
        var field = first[..Math.Max(0, first.IndexOf(' '))] switch
        {
            "window" => "window_ms",
            "burst" => "burst",
            "name" => "name",
            _ => "limit",
        };
        return new InputException(field, string.Join(' ', problems.Select(Bare)));
    }

    private static string Bare(string problem)
    {
        const string end = "': ";
        var start = problem.IndexOf(end, StringComparison.Ordinal);
        return start < 0 ? problem : problem[(start + end.Length)..];
    }
}
