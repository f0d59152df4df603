namespace Weir.Server.Configuration;

/// <summary>How log entries are written to the console.</summary>
public enum LogFormat
{
    /// <summary>One line of text per event. The default.</summary>
    Line,

    /// <summary>One JSON object per line.</summary>
    Json,
}
