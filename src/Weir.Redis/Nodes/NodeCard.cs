using System.Text.Json;
using System.Text.Json.Serialization;

namespace Weir.Redis;

/// <summary>What a node tells the others of itself. Immutable.</summary>
public sealed record NodeCard
{
    /// <summary>Where it is reached, such as <c>http://node-1:8000</c>.</summary>
    public required string Address { get; init; }

    /// <summary>Which build it runs.</summary>
    public required string Version { get; init; }

    /// <summary>What it counts in.</summary>
    public string Engine { get; init; } = "redis";

    /// <summary>When it started, in microseconds since 1970 by its own clock.</summary>
    public long StartedMicros { get; init; }

    /// <summary><c>starting</c>, <c>ready</c>, <c>degraded</c> or <c>stopping</c>.</summary>
    public required string State { get; init; }

    /// <summary>The last change of overrides that is in force there; empty when it knows none.</summary>
    public string Overrides { get; init; } = "";

    internal string ToJson() => JsonSerializer.Serialize(this, SharedJson.Default.NodeCard);

    /// <summary>Reads a card, which another version may have written.</summary>
    /// <returns>Null when it is none.</returns>
    internal static NodeCard? Read(string json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, SharedJson.Default.NodeCard);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>How what nodes share is written: short, and readable by hand.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(NodeCard))]
[JsonSerializable(typeof(OverrideLimit))]
[JsonSerializable(typeof(ReservationText))]
internal sealed partial class SharedJson : JsonSerializerContext;
