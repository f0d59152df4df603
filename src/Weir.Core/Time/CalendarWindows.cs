namespace Weir;

/// <summary>
/// Finds the calendar window around an instant in a time zone. Windows cover time without gap or overlap; they start and end on
/// whole minutes of UTC because every zone offset in use since 1972 is a whole number of minutes.
/// </summary>
/// <remarks>Thread safe: the last window is kept in one reference, swapped whole.</remarks>
public sealed class CalendarWindows
{
    private sealed record Bounds(long Start, long End);

    private readonly CalendarUnit _unit;
    private readonly TimeZoneInfo _zone;
    private Bounds _last = new(0, 0);

    /// <summary>Windows of one unit in one zone.</summary>
    public CalendarWindows(CalendarUnit unit, TimeZoneInfo zone) => (_unit, _zone) = (unit, zone);

    /// <summary>The unit of the windows.</summary>
    public CalendarUnit Unit => _unit;

    /// <summary>The zone whose midnight, month or year starts a window.</summary>
    public TimeZoneInfo Zone => _zone;

    /// <summary>The usual length of a unit: 30 days for a month, 365 for a year.</summary>
    public static TimeSpan Nominal(CalendarUnit unit) => unit switch
    {
        CalendarUnit.Minute => TimeSpan.FromMinutes(1),
        CalendarUnit.Hour => TimeSpan.FromHours(1),
        CalendarUnit.Day => TimeSpan.FromDays(1),
        CalendarUnit.Week => TimeSpan.FromDays(7),
        CalendarUnit.Month => TimeSpan.FromDays(30),
        _ => TimeSpan.FromDays(365),
    };

    /// <summary>Start (inclusive) and end (exclusive) of the window around <paramref name="micros"/>, in microseconds since 1970.</summary>
    public (long Start, long End) At(long micros)
    {
        var last = Volatile.Read(ref _last);
        return micros >= last.Start && micros < last.End ? (last.Start, last.End) : AtSlow(micros);
    }

    private (long Start, long End) AtSlow(long micros)
    {
        var utc = DateTime.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond);
        var (start, end) = _unit is CalendarUnit.Minute or CalendarUnit.Hour ? ClockWindow(utc) : DateWindow(utc);
        Volatile.Write(ref _last, new Bounds(start, end));
        return (start, end);
    }

    private (long Start, long End) ClockWindow(DateTime utc)
    {
        var unit = _unit == CalendarUnit.Minute ? TimeSpan.TicksPerMinute : TimeSpan.TicksPerHour;
        var offset = _zone.GetUtcOffset(utc);
        var local = utc.Ticks + offset.Ticks;
        var start = new DateTime(local - (local % unit) - offset.Ticks, DateTimeKind.Utc);
        var end = start.AddTicks(unit);
        // Where clocks change by half an hour, the change cuts the hour around it in two.
        while (_zone.GetUtcOffset(start) != offset)
            start = start.AddMinutes(1);
        while (_zone.GetUtcOffset(end.AddMinutes(-1)) != offset)
            end = end.AddMinutes(-1);
        return (Micros(start), Micros(end));
    }

    private (long Start, long End) DateWindow(DateTime utc)
    {
        var first = FirstDay(TimeZoneInfo.ConvertTimeFromUtc(utc, _zone).Date);
        var (start, end) = (StartOfDay(first), StartOfDay(NextFirstDay(first)));
        // Clocks set back past midnight show the day before once more; it is over, and the new day has begun.
        while (end <= utc)
        {
            first = NextFirstDay(first);
            (start, end) = (end, StartOfDay(NextFirstDay(first)));
        }
        return (Micros(start), Micros(end));
    }

    private DateTime FirstDay(DateTime date) => _unit switch
    {
        CalendarUnit.Day => date,
        CalendarUnit.Week => date.AddDays(-(((int)date.DayOfWeek + 6) % 7)),
        CalendarUnit.Month => new DateTime(date.Year, date.Month, 1),
        _ => new DateTime(date.Year, 1, 1),
    };

    private DateTime NextFirstDay(DateTime first) => _unit switch
    {
        CalendarUnit.Day => first.AddDays(1),
        CalendarUnit.Week => first.AddDays(7),
        CalendarUnit.Month => first.AddMonths(1),
        _ => first.AddYears(1),
    };

    // The first minute at which the wall clock shows the date or a later one: midnight, or what follows it where midnight, or the whole day, was skipped. Only
    // conversions from UTC are asked for, because local times can be missing or mean two instants.
    private DateTime StartOfDay(DateTime date)
    {
        var utc = DateTime.SpecifyKind(date, DateTimeKind.Utc);
        var (before, after) = (_zone.GetUtcOffset(utc.AddDays(-1)), _zone.GetUtcOffset(utc.AddDays(1)));
        var start = utc - (before > after ? before : after);
        while (start + _zone.GetUtcOffset(start) < utc)
            start = start.AddMinutes(1);
        return start;
    }

    private static long Micros(DateTime utc) => (utc.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
}
