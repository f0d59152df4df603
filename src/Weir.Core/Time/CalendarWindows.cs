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

    // Minutes and hours never straddle an offset change in a way people count by, so they follow the current offset.
    private (long Start, long End) ClockWindow(DateTime utc)
    {
        var unit = _unit == CalendarUnit.Minute ? TimeSpan.TicksPerMinute : TimeSpan.TicksPerHour;
        var offset = _zone.GetUtcOffset(utc).Ticks;
        var local = utc.Ticks + offset;
        var start = new DateTime(local - (local % unit) - offset, DateTimeKind.Utc);
        return (Micros(start), Micros(start.AddTicks(unit)));
    }

    private (long Start, long End) DateWindow(DateTime utc)
    {
        var local = TimeZoneInfo.ConvertTimeFromUtc(utc, _zone).Date;
        var first = _unit switch
        {
            CalendarUnit.Day => local,
            CalendarUnit.Week => local.AddDays(-(((int)local.DayOfWeek + 6) % 7)),
            CalendarUnit.Month => new DateTime(local.Year, local.Month, 1),
            _ => new DateTime(local.Year, 1, 1),
        };
        var next = _unit switch
        {
            CalendarUnit.Day => first.AddDays(1),
            CalendarUnit.Week => first.AddDays(7),
            CalendarUnit.Month => first.AddMonths(1),
            _ => first.AddYears(1),
        };
        return (Micros(StartOfDay(first)), Micros(StartOfDay(next)));
    }

    // Where daylight saving starts at midnight the day begins at the first minute that exists; where midnight comes twice, at the first.
    private DateTime StartOfDay(DateTime date)
    {
        var local = DateTime.SpecifyKind(date, DateTimeKind.Unspecified);
        while (_zone.IsInvalidTime(local))
            local = local.AddMinutes(1);
        var offset = _zone.IsAmbiguousTime(local) ? _zone.GetAmbiguousTimeOffsets(local).Max() : _zone.GetUtcOffset(local);
        return new DateTime(local.Ticks - offset.Ticks, DateTimeKind.Utc);
    }

    private static long Micros(DateTime utc) => (utc.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
}
