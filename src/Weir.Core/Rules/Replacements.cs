namespace Weir;

/// <summary>Lets rules that a request matched put others of the same request out of force, as <c>replaces</c> says.</summary>
public static class Replacements
{
    /// <summary>
    /// Sets to null every rule that another rule of the request replaces by name. A rule that is itself replaced still replaces, so the
    /// order of the descriptors does not matter; unlimited and shadow rules replace too.
    /// </summary>
    /// <param name="rules">The rules of one request, one place per descriptor; null where none applies.</param>
    /// <returns>How many rules were put out of force.</returns>
    public static int Apply(Span<Rule?> rules)
    {
        // Marked in a bit mask first and dropped afterwards, because a replaced rule must still be asked what it replaces.
        // The mask has one bit per charge that a request may have.
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rules.Length, ILimiter.MaxCharges, nameof(rules));
        var replaced = 0UL;
        foreach (var rule in rules)
        {
            if (rule is not null && rule.Replaces.Count > 0)
                replaced |= Mark(rules, rule.Replaces);
        }
        for (var i = 0; i < rules.Length; i++)
        {
            if ((replaced >> i & 1) != 0)
                rules[i] = null;
        }
        return System.Numerics.BitOperations.PopCount(replaced);
    }

    private static ulong Mark(ReadOnlySpan<Rule?> rules, IReadOnlyList<string> names)
    {
        var marks = 0UL;
        for (var i = 0; i < rules.Length; i++)
        {
            if (rules[i] is { } rule && Contains(names, rule.Name))
                marks |= 1UL << i;
        }
        return marks;
    }

    private static bool Contains(IReadOnlyList<string> names, string name)
    {
        for (var i = 0; i < names.Count; i++)
        {
            if (names[i] == name)
                return true;
        }
        return false;
    }
}
