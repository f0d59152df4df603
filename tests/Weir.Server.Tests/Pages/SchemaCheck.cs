using System.Text.Json;
using System.Text.RegularExpressions;

namespace Weir.Server.Tests.Pages;

/// <summary>Compares JSON with the schemas of a description: as much of JSON Schema as the description uses, and an error for a keyword beyond that.</summary>
internal sealed class SchemaCheck(OpenApiDocument document)
{
    private static readonly string[] Silent = ["description", "default", "format", "example", "required", "additionalProperties"];

    /// <summary>Everything in which a value is not what the schema says.</summary>
    public IReadOnlyList<string> Problems(JsonElement schema, JsonElement value, string at = "$")
    {
        schema = document.Resolve(schema);
        var problems = new List<string>();
        foreach (var keyword in schema.EnumerateObject())
        {
            if (!Silent.Contains(keyword.Name))
                problems.AddRange(Keyword(keyword, value, at));
        }
        if (schema.TryGetProperty("properties", out var properties) && value.ValueKind == JsonValueKind.Object)
            problems.AddRange(Fields(schema, properties, value, at));
        return problems;
    }

    private IEnumerable<string> Keyword(JsonProperty keyword, JsonElement value, string at) => keyword.Name switch
    {
        "type" => Must(Types(keyword.Value).Contains(TypeOf(value)), $"{at} is {TypeOf(value)}, not {keyword.Value}"),
        "const" => Must(JsonElement.DeepEquals(keyword.Value, value), $"{at} is {value}, not {keyword.Value}"),
        "enum" => Must(keyword.Value.EnumerateArray().Any(v => JsonElement.DeepEquals(v, value)), $"{at} is {value}, none of {keyword.Value}"),
        "minimum" => Must(!IsNumber(value) || value.GetDecimal() >= keyword.Value.GetDecimal(), $"{at} is {value}, below {keyword.Value}"),
        "maximum" => Must(!IsNumber(value) || value.GetDecimal() <= keyword.Value.GetDecimal(), $"{at} is {value}, above {keyword.Value}"),
        "minLength" => Must(value.ValueKind != JsonValueKind.String || value.GetString()!.Length >= keyword.Value.GetInt32(), $"{at} is too short"),
        "pattern" => Must(Regex.IsMatch(value.GetString()!, keyword.Value.GetString()!, RegexOptions.None, TimeSpan.FromSeconds(1)), $"{at} does not fit {keyword.Value}"),
        "minItems" => Must(value.GetArrayLength() >= keyword.Value.GetInt32(), $"{at} has too few"),
        "maxItems" => Must(value.GetArrayLength() <= keyword.Value.GetInt32(), $"{at} has too many"),
        "items" => value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().SelectMany((v, i) => Problems(keyword.Value, v, $"{at}[{i}]")) : [],
        "oneOf" => OneOf(keyword.Value, value, at),
        "properties" => [],
        _ => throw new NotSupportedException($"The schema keyword '{keyword.Name}' is not understood by this check; teach it, or do without."),
    };

    // Exactly one must fit; when none does, what the nearest one lacks says most.
    private IEnumerable<string> OneOf(JsonElement choices, JsonElement value, string at)
    {
        var each = choices.EnumerateArray().Select(c => Problems(c, value, at)).ToList();
        return each.Count(p => p.Count == 0) switch
        {
            1 => [],
            0 => each.MinBy(p => p.Count)!,
            var several => [$"{at} fits {several} of the schemas of oneOf"],
        };
    }

    private IEnumerable<string> Fields(JsonElement schema, JsonElement properties, JsonElement value, string at)
    {
        if (schema.TryGetProperty("required", out var required))
        {
            foreach (var name in required.EnumerateArray().Select(n => n.GetString()!).Where(n => !value.TryGetProperty(n, out _)))
                yield return $"{at}.{name} is missing";
        }
        foreach (var field in value.EnumerateObject())
        {
            if (!properties.TryGetProperty(field.Name, out var expected))
                yield return $"{at}.{field.Name} is not described";
            else
            {
                foreach (var problem in Problems(expected, field.Value, $"{at}.{field.Name}"))
                    yield return problem;
            }
        }
    }

    private static IEnumerable<string> Must(bool holds, string problem) => holds ? [] : [problem];

    private static bool IsNumber(JsonElement value) => value.ValueKind == JsonValueKind.Number;

    private static IEnumerable<string> Types(JsonElement type) => type.ValueKind == JsonValueKind.Array ? type.EnumerateArray().Select(t => t.GetString()!) : [type.GetString()!];

    private static string TypeOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.True or JsonValueKind.False => "boolean",
        JsonValueKind.Number => value.TryGetInt64(out _) ? "integer" : "number",
        JsonValueKind.String => "string",
        JsonValueKind.Array => "array",
        JsonValueKind.Null => "null",
        _ => "object",
    };
}
