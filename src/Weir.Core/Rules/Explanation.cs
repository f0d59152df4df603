namespace Weir;

/// <summary>Which rule applies to a descriptor, and why not the others.</summary>
/// <param name="Domain">The domain asked for.</param>
/// <param name="Descriptor">The descriptor asked for.</param>
/// <param name="Kind">What matching found; the same as <see cref="RuleSet.Match"/> says.</param>
/// <param name="Rule">The rule that applies, or null.</param>
/// <param name="Steps">The way through the tree, for people, in order.</param>
public sealed record Explanation(string Domain, Descriptor Descriptor, MatchKind Kind, Rule? Rule, IReadOnlyList<ExplanationStep> Steps);

/// <summary>What happened at one level of the tree.</summary>
/// <param name="Title">The entry and the branch taken, or what ended the walk.</param>
/// <param name="Notes">Why: what was passed over, near misses, cures.</param>
public sealed record ExplanationStep(string Title, IReadOnlyList<string> Notes);
