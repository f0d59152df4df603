namespace Weir.Yaml;

/// <summary>The keys of one kind of mapping in a rules file.</summary>
/// <param name="Where">The mapping, as a sentence names it.</param>
/// <param name="Names">The keys it may have.</param>
internal sealed record RuleKeys(string Where, string[] Names)
{
    public const string ExtensionPrefix = "x-";

    public static readonly RuleKeys File = new("the top of a file", ["domain", "descriptors"]);

    public static readonly RuleKeys Descriptor = new("a descriptor",
    [
        "key", "value", "rate_limit", "descriptors", "shadow_mode", "quota_mode", "share_threshold", "detailed_metric", "value_to_metric", "metadata",
    ]);

    public static readonly RuleKeys RateLimit = new("rate_limit",
    [
        "name", "algorithm", "limit", "window", "burst", "calendar", "time_zone", "failure", "shadow",
        "unit", "requests_per_unit", "unlimited", "replaces",
    ]);

    public static readonly RuleKeys Replaces = new("an entry of replaces", ["name"]);

    private static readonly RuleKeys[] All = [File, Descriptor, RateLimit, Replaces];

    /// <summary>What to tell somebody who wrote a key that does not belong here.</summary>
    public string Unknown(string key)
    {
        var text = $"Unknown key '{key}' in {Where}.";
        if (Array.Find(All, k => k.Names.Contains(key, StringComparer.Ordinal)) is { } other)
            return $"Key '{key}' does not belong in {Where} but in {other.Where}. Move it there.";
        if (EditDistance.Nearest(key, Names) is { } near)
            return $"{text} Did you mean '{near}'?";
        if (EditDistance.Nearest(key, All.SelectMany(k => k.Names)) is { } far)
            return $"{text} Did you mean '{far}', which belongs in {Array.Find(All, k => k.Names.Contains(far, StringComparer.Ordinal))!.Where}?";
        return $"{text} Known are: {string.Join(", ", Names)}.";
    }
}
