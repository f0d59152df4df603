using System.Text;
using System.Text.Json;

namespace Weir.Server.Tests.Http;

/// <summary>One answer of a node, read strictly.</summary>
internal sealed class Reply(int status, IReadOnlyDictionary<string, string> headers, byte[] body)
{
    private JsonElement? _json;

    public int Status => status;

    public byte[] Body => body;

    public string Text { get; } = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(body);

    /// <summary>The body as an object in which no field is given twice.</summary>
    public JsonElement Json => _json ??= JsonDocument.Parse(body, new JsonDocumentOptions { AllowDuplicateProperties = false }).RootElement;

    public static async Task<Reply> OfAsync(HttpResponseMessage response)
    {
        using (response)
        {
            var headers = response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated)
                .ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase);
            return new Reply((int)response.StatusCode, headers, await response.Content.ReadAsByteArrayAsync());
        }
    }

    /// <summary>A header's value, or null when it was not sent.</summary>
    public string? Header(string name) => headers.GetValueOrDefault(name);

    public IEnumerable<string> HeaderNames => headers.Keys;

    public long Number(string field) => Json.GetProperty(field).GetInt64();

    public string? String(string field) => Json.GetProperty(field).GetString();

    public bool Flag(string field) => Json.GetProperty(field).GetBoolean();

    public bool IsNull(string field) => Json.GetProperty(field).ValueKind == JsonValueKind.Null;

    /// <summary>The names of the body's fields, in their order.</summary>
    public string Fields => FieldsOf(Json);

    public static string FieldsOf(JsonElement element) => string.Join(' ', element.EnumerateObject().Select(p => p.Name));

    /// <summary>Checks that this is a complete problem+json, and returns its detail.</summary>
    public string Problem(int expectedStatus, string? field = null)
    {
        Assert.True(status == expectedStatus, $"{status} instead of {expectedStatus}: {Text}");
        Assert.Equal("application/problem+json", Header("Content-Type"));
        Assert.Equal(expectedStatus, Number("status"));
        Assert.NotEmpty(String("type")!);
        Assert.NotEmpty(String("title")!);
        if (field is not null)
            Assert.Equal(field, String("field"));
        return String("detail")!;
    }

    public override string ToString() => $"{status} {Text}";
}
