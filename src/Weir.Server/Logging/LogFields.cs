namespace Weir.Server.Logging;

/// <summary>The named values of a log entry, without the template that they came with.</summary>
internal static class LogFields
{
    private const string TemplateKey = "{OriginalFormat}";

    /// <summary>The values of an entry's state, each name once.</summary>
    public static IEnumerable<KeyValuePair<string, object?>> Of(object? state) =>
        state is IReadOnlyList<KeyValuePair<string, object?>> fields
            ? fields.Where(static f => f.Key != TemplateKey).DistinctBy(static f => f.Key)
            : [];

    /// <summary>The values that the message does not show already.</summary>
    public static IEnumerable<KeyValuePair<string, object?>> NotInMessage(object? state)
    {
        var template = (state as IReadOnlyList<KeyValuePair<string, object?>>)?.FirstOrDefault(static f => f.Key == TemplateKey).Value as string ?? "";
        return Of(state).Where(f => !template.Contains($"{{{f.Key}}}") && !template.Contains($"{{{f.Key}:") && !template.Contains($"{{{f.Key},"));
    }
}
