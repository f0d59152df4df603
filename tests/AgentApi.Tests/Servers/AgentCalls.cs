using System.Text.Json;

namespace AgentApi.Tests.Servers;

/// <summary>An answer, read to its end.</summary>
internal sealed record Heard(int Status, JsonElement Body, Dictionary<string, string> Headers)
{
    public JsonElement this[string name] => Body.GetProperty(name);

    public string Detail => Body.GetProperty("detail").GetString()!;
}

/// <summary>What tests ask.</summary>
internal static class AgentCalls
{
    public static async Task<Heard> GetHeardAsync(this HttpClient client, string path) => await ReadAsync(await client.GetAsync(new Uri(path, UriKind.Relative)));

    // With its length, which PostAsJsonAsync does not tell: where it is not known, the tokens of the longest question are reserved.
    public static async Task<Heard> PostHeardAsync(this HttpClient client, string path, object body) =>
        await client.PostRawAsync(path, JsonSerializer.SerializeToUtf8Bytes(body, JsonSerializerOptions.Web));

    public static async Task<Heard> PostRawAsync(this HttpClient client, string path, byte[] body) =>
        await ReadAsync(await client.PostAsync(new Uri(path, UriKind.Relative), new ByteArrayContent(body)));

    /// <summary>Begins a conversation and gives its path.</summary>
    public static async Task<string> BeginAsync(this HttpClient client, string title = "")
    {
        var begun = await client.PostHeardAsync("/conversations", new { title });
        Assert.Equal(201, begun.Status);
        return $"/conversations/{begun["conversation"].GetProperty("id").GetString()}";
    }

    /// <summary>Says something.</summary>
    public static Task<Heard> SayAsync(this HttpClient client, string conversation, string content) => client.PostHeardAsync($"{conversation}/messages", new { content });

    /// <summary>All that was said, as "role: content".</summary>
    public static async Task<List<string>> ReadAllAsync(this HttpClient client, string conversation)
    {
        var said = new List<string>();
        for (var after = 0; ;)
        {
            var page = await client.GetHeardAsync($"{conversation}?after={after}");
            Assert.Equal(200, page.Status);
            said.AddRange(page["messages"].EnumerateArray().Select(static m => $"{m.GetProperty("role").GetString()}: {m.GetProperty("content").GetString()}"));
            if (page["next_after"].ValueKind == JsonValueKind.Null)
                return said;
            after = page["next_after"].GetInt32();
        }
    }

    public static async Task<Heard> ReadAsync(HttpResponseMessage answer)
    {
        using (answer)
        {
            var text = await answer.Content.ReadAsStringAsync();
            return new Heard(
                (int)answer.StatusCode,
                text.Length == 0 ? default : JsonDocument.Parse(text).RootElement.Clone(),
                answer.Headers.Concat(answer.Content.Headers).ToDictionary(static h => h.Key, static h => string.Join(", ", h.Value), StringComparer.OrdinalIgnoreCase));
        }
    }
}
