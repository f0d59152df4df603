namespace Weir.Yaml;

/// <summary>Collects what is wrong in the files of one load, the first <see cref="MaxListed"/> problems of it.</summary>
internal sealed class ProblemList
{
    /// <summary>More would help nobody, and a text of nothing but mistakes must not fill memory, logs and answers.</summary>
    public const int MaxListed = 1_000;

    private readonly List<(int File, RulesProblem Problem)> _problems = [];
    private readonly List<string> _files = [];

    /// <summary>How many were found, also beyond those listed.</summary>
    public int Count { get; private set; }

    /// <summary>Names the file that the following problems are in.</summary>
    public void Enter(string file) => _files.Add(file);

    public string File => _files[^1];

    public void Add(YamlMark mark, string message)
    {
        if (Count++ < MaxListed)
            _problems.Add((_files.Count, new RulesProblem(File, (int)mark.Line, (int)mark.Column, message)));
    }

    /// <summary>The problems in the order of files and lines; one that was met again through an alias is listed once.</summary>
    public IReadOnlyList<RulesProblem> ToSorted()
    {
        var sorted = _problems.OrderBy(p => p.File).ThenBy(p => p.Problem.Line).ThenBy(p => p.Problem.Column).Select(p => p.Problem).Distinct();
        return Count <= MaxListed
            ? [.. sorted]
            : [.. sorted, new RulesProblem(File, 0, 0, $"There are {Count - MaxListed:N0} more problems. Mend the first ones and look again.")];
    }
}
