using System.Globalization;

namespace AgentApi.Http;

/// <summary>Reads what stands behind the question mark.</summary>
internal static class Query
{
    /// <summary>A whole number within a range.</summary>
    /// <exception cref="InputException">It is something else.</exception>
    public static int Integer(HttpContext context, string name, int fallback, int least, int most)
    {
        if (!context.Request.Query.TryGetValue(name, out var given))
            return fallback;
        return given is [{ } text] && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? value
            : throw new InputException(name, $"it must be a whole number from {least} to {most}.");
    }
}
