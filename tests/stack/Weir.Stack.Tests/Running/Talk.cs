using System.Net.Http.Json;
using System.Text.Json;

namespace Weir.Stack.Tests.Running;

/// <summary>What a user of the sample application does.</summary>
internal static class Talk
{
    /// <summary>Begins a conversation and says something in it.</summary>
    public static async Task<(string Id, JsonElement Answer)> BeginAsync(ComposeStack stack, string key)
    {
        var begun = await AskAsync(stack, key, HttpMethod.Post, "/conversations", new { title = "weir" });
        var id = begun.At("conversation", "id").Text();
        Assert.NotEqual("", id);
        return (id, await AskAsync(stack, key, HttpMethod.Post, $"/conversations/{id}/messages", new { content = "remember the weir" }));
    }

    /// <summary>One request as a user, which must succeed.</summary>
    public static async Task<JsonElement> AskAsync(ComposeStack stack, string key, HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = body is null ? null : JsonContent.Create(body) };
        request.Headers.Add("X-API-Key", key);
        using var response = await stack.Http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{method} {path}: {(int)response.StatusCode} {text}");
        return Json.Parse(text);
    }
}
