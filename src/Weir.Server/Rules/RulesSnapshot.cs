namespace Weir.Server.Rules;

/// <summary>The rules in force, with where they came from. Immutable.</summary>
/// <param name="RuleSet">The rules.</param>
/// <param name="Version">1 for the first rules of this process, and one more for each that followed.</param>
/// <param name="LoadedAt">When they came into force.</param>
/// <param name="Source">The path of the file or folder, <c>PUT /api/rules</c>, or <c>none</c>.</param>
/// <param name="Files">The texts they were read from.</param>
/// <param name="Warnings">What in them has no effect, as <c>file:line:column: message</c>.</param>
internal sealed record RulesSnapshot(
    RuleSet RuleSet, int Version, DateTimeOffset LoadedAt, string Source, IReadOnlyList<RulesFile> Files, IReadOnlyList<string> Warnings);

/// <summary>A reload that failed. The rules before it are still in force.</summary>
/// <param name="At">When it failed.</param>
/// <param name="Problems">Why, as <c>file:line:column: message</c>; at least one.</param>
internal sealed record RulesFailure(DateTimeOffset At, IReadOnlyList<string> Problems);

/// <summary>What checking a text found.</summary>
/// <param name="RuleSet">The rules, or null when there is a problem.</param>
/// <param name="Problems">Everything that is wrong, as <c>file:line:column: message</c>.</param>
/// <param name="Warnings">What has no effect, in the same form.</param>
internal sealed record RulesCheck(RuleSet? RuleSet, IReadOnlyList<string> Problems, IReadOnlyList<string> Warnings);
