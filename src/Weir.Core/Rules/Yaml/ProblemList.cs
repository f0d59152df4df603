namespace Weir.Yaml;

/// <summary>Collects what is wrong in the files of one load.</summary>
internal sealed class ProblemList
{
    private readonly List<(int File, RulesProblem Problem)> _problems = [];
    private readonly List<string> _files = [];

    public int Count => _problems.Count;

    /// <summary>Names the file that the following problems are in.</summary>
    public void Enter(string file) => _files.Add(file);

    public string File => _files[^1];

    public void Add(YamlMark mark, string message) =>
        _problems.Add((_files.Count, new RulesProblem(File, (int)mark.Line, (int)mark.Column, message)));

    public void Add(string message) => Add(default, message);

    /// <summary>All problems in the order of files and lines; one that was met again through an alias is listed once.</summary>
    public IReadOnlyList<RulesProblem> ToSorted() =>
    [
        .. _problems.OrderBy(p => p.File).ThenBy(p => p.Problem.Line).ThenBy(p => p.Problem.Column).Select(p => p.Problem).Distinct(),
    ];
}
