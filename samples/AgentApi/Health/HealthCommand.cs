using System.Globalization;

namespace AgentApi.Health;

/// <summary><c>agent-api health</c>: asks the service of this container whether it is well, because its image has no program that could.</summary>
internal static class HealthCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    /// <summary>Asks <c>/health</c> on the port that <c>PORT</c> names.</summary>
    /// <returns>The exit code: 0 when the service is well, 1 when it is not or does not answer.</returns>
    public static async Task<int> RunAsync()
    {
        var port = int.TryParse(Environment.GetEnvironmentVariable("PORT"), CultureInfo.InvariantCulture, out var given) ? given : 8080;
        using var client = new HttpClient { Timeout = Patience };
        try
        {
            using var answer = await client.GetAsync(new Uri($"http://127.0.0.1:{port}/health"));
            await Console.Out.WriteLineAsync(await answer.Content.ReadAsStringAsync());
            return answer.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            await Console.Error.WriteLineAsync($"agent-api health: {e.Message}");
            return 1;
        }
    }
}
