namespace Weir;

/// <summary>One (key, value) pair of a <see cref="Descriptor"/>.</summary>
/// <param name="Key">What kind of thing, such as <c>user</c>. Not empty.</param>
/// <param name="Value">Which one, such as <c>alice</c>. May be empty.</param>
public readonly record struct DescriptorEntry(string Key, string Value);

/// <summary>What a request presents to be limited by: an ordered list of entries, such as <c>(user, alice)(path, /login)</c>.</summary>
/// <param name="Entries">1 or more entries, outermost first.</param>
/// <param name="Cost">Permits to take; null for the request's own cost.</param>
public sealed record Descriptor(IReadOnlyList<DescriptorEntry> Entries, int? Cost = null);
