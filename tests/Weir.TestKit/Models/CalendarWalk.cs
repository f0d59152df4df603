using System.Globalization;

namespace Weir.TestKit;

/// <summary>
/// Finds where a calendar window starts by walking back minute by minute until the wall clock shows another minute, hour, day, ... Knows
/// nothing of offsets and daylight saving but what converting an instant to local time tells.
/// </summary>
public sealed class CalendarWalk(CalendarUnit unit, TimeZoneInfo zone)
{
    private readonly Dictionary<long, long> _starts = [];

    /// <summary>The first instant of the window around <paramref name="micros"/>.</summary>
    public long Start(long micros)
    {
        var minute = micros - (micros % 60_000_000);
        if (!_starts.TryGetValue(minute, out var start))
            _starts[minute] = start = Walk(minute);
        return start;
    }

    /// <summary>What the wall clock shows, down to the unit.</summary>
    public string Shows(long micros)
    {
        var local = TimeZoneInfo.ConvertTimeFromUtc(DateTime.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond), zone);
        return unit switch
        {
            CalendarUnit.Minute => $"{local:yyyy-MM-dd HH:mm}",
            CalendarUnit.Hour => $"{local:yyyy-MM-dd HH}",
            CalendarUnit.Day => $"{local:yyyy-MM-dd}",
            CalendarUnit.Week => $"{ISOWeek.GetYear(local)}-W{ISOWeek.GetWeekOfYear(local)}",
            CalendarUnit.Month => $"{local:yyyy-MM}",
            _ => $"{local:yyyy}",
        };
    }

    // Strides are shorter than what they stride over, so that they cannot leave a window and land in another that shows the same.
    private long Walk(long minute)
    {
        var shown = Shows(minute);
        var stride = unit switch
        {
            CalendarUnit.Minute or CalendarUnit.Hour => TimeSpan.FromMinutes(1),
            CalendarUnit.Day => TimeSpan.FromHours(6),
            _ => TimeSpan.FromDays(1),
        };
        foreach (var step in new[] { stride, TimeSpan.FromHours(1), TimeSpan.FromMinutes(1) })
        {
            var micros = step.Ticks / TimeSpan.TicksPerMicrosecond;
            while (step <= stride && Shows(minute - micros) == shown)
                minute -= micros;
        }
        return minute;
    }
}
