namespace Weir;

/// <summary>The text of one rules file.</summary>
/// <param name="Path">Its path, as problems shall name it.</param>
/// <param name="Text">Its YAML.</param>
public sealed record RulesFile(string Path, string Text);

/// <summary>Something that is wrong in a rules file, with its cure.</summary>
/// <param name="File">Name of the file.</param>
/// <param name="Line">Line, counted from 1; 0 when the whole file is meant.</param>
/// <param name="Column">Column, counted from 1; 0 when the whole file is meant.</param>
/// <param name="Message">What is wrong and how to cure it.</param>
public sealed record RulesProblem(string File, int Line, int Column, string Message)
{
    /// <summary><c>file:line:column: message</c>, the form that editors follow to the place.</summary>
    public override string ToString() => Line == 0 ? $"{File}: {Message}" : $"{File}:{Line}:{Column}: {Message}";
}

/// <summary>Rules could not be read.</summary>
public sealed class RulesException : Exception
{
    /// <summary>Makes the exception for the problems found.</summary>
    public RulesException(IReadOnlyList<RulesProblem> problems)
        : base(string.Join(Environment.NewLine, problems)) => Problems = problems;

    /// <summary>Every problem, in the order of files and lines.</summary>
    public IReadOnlyList<RulesProblem> Problems { get; }
}
