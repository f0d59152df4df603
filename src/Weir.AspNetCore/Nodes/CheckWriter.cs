using System.Text.Json;

namespace Weir.AspNetCore;

/// <summary>Writes checks as nodes read them.</summary>
internal static class CheckWriter
{
    /// <summary>About how many bytes a check takes; bodies are bounded by it.</summary>
    public static int SizeOf(PendingCheck check)
    {
        var size = 64;
        for (var i = 0; i < check.Count; i++)
        {
            // A byte of a key may need six to be escaped.
            ref readonly var entry = ref check.Entries[i];
            size += 128 + (entry.Limit.RateLimitJson?.Length ?? 0) + (6 * entry.Length);
        }
        return size;
    }

    public static void WriteBatch(Utf8JsonWriter json, List<PendingCheck> checks)
    {
        json.WriteStartObject();
        json.WriteStartArray("checks"u8);
        foreach (var check in checks)
        {
            json.WriteStartObject();
            WriteFields(json, check, forReservation: false);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Writes domain and descriptors, without the object around them.</summary>
    public static void WriteFields(Utf8JsonWriter json, PendingCheck check, bool forReservation)
    {
        json.WriteString("domain"u8, check.Entries[0].Limit.DomainJson);
        json.WriteStartArray("descriptors"u8);
        for (var i = 0; i < check.Count; i++)
            Write(json, check, check.Entries[i], forReservation);
        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, PendingCheck check, in PendingCheck.Entry entry, bool forReservation)
    {
        json.WriteStartObject();
        json.WriteStartArray("entries"u8);
        json.WriteStartObject();
        json.WriteString("key"u8, entry.Limit.NameJson);
        json.WriteString("value"u8, check.KeyOf(entry));
        json.WriteEndObject();
        json.WriteEndArray();
        if (entry.Cost != 1 || forReservation)
            json.WriteNumber("cost"u8, entry.Cost);
        if (entry.IsFinal && forReservation)
            json.WriteBoolean("final"u8, true);
        if (entry.Limit.RateLimitJson is { } limit)
        {
            json.WritePropertyName("rate_limit"u8);
            json.WriteRawValue(limit, skipInputValidation: true);
        }
        json.WriteEndObject();
    }
}
