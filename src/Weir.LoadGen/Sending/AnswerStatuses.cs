namespace Weir.LoadGen.Sending;

/// <summary>Which statuses mean allowed, and which limited. Immutable.</summary>
internal sealed class AnswerStatuses
{
    private const int Most = 600;
    private readonly Outcome[] _outcomes = new Outcome[Most];

    /// <summary>Everything that is in neither list is a failure. A status in both means limited.</summary>
    public AnswerStatuses(IEnumerable<int> allowed, IEnumerable<int> limited)
    {
        Array.Fill(_outcomes, Outcome.Failed);
        foreach (var status in allowed)
            _outcomes[status] = Outcome.Allowed;
        foreach (var status in limited)
            _outcomes[status] = Outcome.Limited;
    }

    /// <summary>What a status means.</summary>
    public Outcome this[int status] => status < Most ? _outcomes[status] : Outcome.Failed;

    /// <summary>Reads a list such as <c>200,204</c> or <c>2xx</c>.</summary>
    /// <returns>Null when it is none.</returns>
    public static List<int>? TryParse(string text)
    {
        var statuses = new List<int>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            if (part is [>= '1' and <= '5', 'x' or 'X', 'x' or 'X'])
                statuses.AddRange(Enumerable.Range((part[0] - '0') * 100, 100));
            else if (part.Length == 3 && int.TryParse(part, System.Globalization.NumberStyles.None, null, out var status) && status is >= 100 and < Most)
                statuses.Add(status);
            else
                return null;
        }
        return statuses;
    }
}
