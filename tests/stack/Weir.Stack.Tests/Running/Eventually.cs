namespace Weir.Stack.Tests.Running;

/// <summary>Waits for what must come about.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    /// <summary>Looks until a look is satisfied, and returns what it saw.</summary>
    public static async Task<T> SeeAsync<T>(string what, Func<Task<T>> look, Func<T, bool> isEnough, int seconds = 90)
    {
        var since = TimeProvider.System.GetTimestamp();
        object? last = null;
        while (true)
        {
            try
            {
                var seen = await look();
                if (isEnough(seen))
                    return seen;
                last = seen is System.Collections.IEnumerable many and not string ? string.Join(", ", many.Cast<object>()) : seen;
            }
            catch (Exception e) when (e is HttpRequestException or OperationCanceledException or IOException or System.Text.Json.JsonException)
            {
                last = e.Message;
            }
            if (TimeProvider.System.GetElapsedTime(since).TotalSeconds > seconds)
                Assert.Fail($"Not within {seconds} s: {what}. Last seen: {last}");
            await Task.Delay(Pause);
        }
    }

    /// <summary>Looks until it is so.</summary>
    public static Task BeAsync(string what, Func<Task<bool>> look, int seconds = 90) => SeeAsync(what, look, static seen => seen, seconds);
}
