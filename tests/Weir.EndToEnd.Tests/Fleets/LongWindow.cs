namespace Weir.EndToEnd.Tests.Fleets;

/// <summary>A window that is longer than any test by so much that nothing comes back while it runs: 300 days.</summary>
internal static class LongWindow
{
    /// <summary>For flags.</summary>
    public const string Milliseconds = "25920000000";

    /// <summary>For rules.</summary>
    public const string Text = "300d";
}
