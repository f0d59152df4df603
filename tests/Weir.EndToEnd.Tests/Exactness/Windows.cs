namespace Weir.EndToEnd.Tests.Exactness;

/// <summary>Windows that are longer than any test by so much that nothing comes back while it runs.</summary>
internal static class Windows
{
    /// <summary>300 days, for flags.</summary>
    public const string LongMilliseconds = "25920000000";

    /// <summary>300 days, for rules.</summary>
    public const string Long = "300d";
}
