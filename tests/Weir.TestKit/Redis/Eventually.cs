namespace Weir.TestKit.Redis;

/// <summary>Waits for conditions instead of for times.</summary>
public static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);

    /// <summary>Waits until something holds. A check that throws does not hold yet.</summary>
    /// <exception cref="TimeoutException">It did not in 20 s, or the given time.</exception>
    public static Task IsTrueAsync(Func<bool> condition, string what, TimeSpan? within = null) =>
        IsTrueAsync(() => Task.FromResult(condition()), what, within);

    /// <summary>Waits until something holds that takes time to find out.</summary>
    /// <exception cref="TimeoutException">It did not in 20 s, or the given time.</exception>
    public static async Task IsTrueAsync(Func<Task<bool>> condition, string what, TimeSpan? within = null)
    {
        var since = TimeProvider.System.GetTimestamp();
        Exception? last;
        do
        {
            try
            {
                if (await condition())
                    return;
                last = null;
            }
            catch (Exception e)
            {
                last = e;
            }
            await Task.Delay(Step);
        }
        while (TimeProvider.System.GetElapsedTime(since) < (within ?? Patience));
        throw new TimeoutException($"Waited in vain until {what}.", last);
    }
}
