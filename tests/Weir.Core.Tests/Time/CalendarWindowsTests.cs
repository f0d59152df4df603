using Weir.TestKit;

namespace Weir.Core.Tests.Time;

/// <summary>Calendar windows against a walk along the wall clock, over daylight saving changes and a date line that moved.</summary>
public class CalendarWindowsTests
{
    private const long Minute = 60_000_000;
    private const long Day = 24 * 60 * Minute;

    // Zone and a day around which something happens there.
    public static TheoryData<string, string> Changes => new()
    {
        { "UTC", "2024-02-29" },
        { "Europe/Berlin", "2026-03-29" },
        { "Europe/Berlin", "2026-10-25" },
        { "America/New_York", "2026-03-08" },
        { "America/New_York", "2026-11-01" },
        // Daylight saving began at midnight: that day starts at one o'clock; it ended at midnight: the evening before is an hour longer.
        { "America/Sao_Paulo", "2018-11-04" },
        { "America/Sao_Paulo", "2018-02-18" },
        // Midnight came twice.
        { "America/Havana", "2025-11-02" },
        { "Asia/Kolkata", "2026-01-01" },
        // The thirtieth was skipped.
        { "Pacific/Apia", "2011-12-30" },
        // Half an hour of daylight saving.
        { "Australia/Lord_Howe", "2026-04-05" },
        { "Australia/Lord_Howe", "2026-10-04" },
        // A minute past midnight, back to the day before.
        { "America/St_Johns", "2010-11-07" },
        { "America/St_Johns", "2010-03-14" },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public void Windows_TileTime(string zone, string date)
    {
        foreach (var unit in Enum.GetValues<CalendarUnit>())
        {
            var around = Micros(date);
            var windows = new CalendarWindows(unit, TimeZoneInfo.FindSystemTimeZoneById(zone));
            var (start, end) = windows.At(around - (2 * Day));
            Assert.True(start <= around - (2 * Day) && end > around - (2 * Day), "A window holds the instant that it was asked for.");
            while (start < around + (2 * Day))
            {
                Assert.True(end > start, $"{unit} in {zone}: [{Show(start)}, {Show(end)}) is empty.");
                Assert.Equal((start, end), Asked(unit, zone, start));
                Assert.Equal((start, end), Asked(unit, zone, start + ((end - start) / 2)));
                Assert.Equal((start, end), Asked(unit, zone, end - 1));
                var next = Asked(unit, zone, end);
                Assert.Equal(end, next.Start);
                (start, end) = next;
            }
        }
    }

    [Theory]
    [MemberData(nameof(Changes))]
    public void DaysAndLonger_StartWhereTheWallClockTurns(string zone, string date)
    {
        // St. John's shows a date, the next for a minute, and the first again: the day that has begun does not end once more.
        if (zone == "America/St_Johns" && date == "2010-11-07")
            return;
        foreach (var unit in new[] { CalendarUnit.Day, CalendarUnit.Week, CalendarUnit.Month, CalendarUnit.Year })
        {
            var walk = new CalendarWalk(unit, TimeZoneInfo.FindSystemTimeZoneById(zone));
            for (var at = Micros(date) - (2 * Day); at < Micros(date) + (2 * Day); at += 17 * Minute)
            {
                var expected = walk.Start(at);
                Assert.True(expected == Asked(unit, zone, at).Start, $"{unit} in {zone} at {Show(at)} starts {Show(expected)}, not {Show(Asked(unit, zone, at).Start)}.");
            }
        }
    }

    [Fact]
    public void AskedOutOfOrder_TheAnswersStayTheSame()
    {
        var zone = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");
        var windows = new CalendarWindows(CalendarUnit.Month, zone);
        var random = new Random(3);
        for (var i = 0; i < 2_000; i++)
        {
            var at = Micros("2020-01-01") + (random.NextInt64(4_000) * Day);
            Assert.Equal(new CalendarWindows(CalendarUnit.Month, zone).At(at), windows.At(at));
        }
    }

    [Theory]
    [InlineData(CalendarUnit.Day, "2026-03-29T12:00", "2026-03-28T23:00", "2026-03-29T22:00")]
    [InlineData(CalendarUnit.Week, "2026-03-29T12:00", "2026-03-22T23:00", "2026-03-29T22:00")]
    [InlineData(CalendarUnit.Month, "2026-02-28T23:30", "2026-02-28T23:00", "2026-03-31T22:00")]
    [InlineData(CalendarUnit.Year, "2026-06-01T00:00", "2025-12-31T23:00", "2026-12-31T23:00")]
    [InlineData(CalendarUnit.Hour, "2026-03-29T00:59", "2026-03-29T00:00", "2026-03-29T01:00")]
    public void InBerlin(CalendarUnit unit, string at, string start, string end) =>
        Assert.Equal((Micros(start), Micros(end)), Asked(unit, "Europe/Berlin", Micros(at)));

    private static (long Start, long End) Asked(CalendarUnit unit, string zone, long micros) =>
        new CalendarWindows(unit, TimeZoneInfo.FindSystemTimeZoneById(zone)).At(micros);

    private static long Micros(string utc) =>
        (DateTime.Parse(utc, null, System.Globalization.DateTimeStyles.AdjustToUniversal | System.Globalization.DateTimeStyles.AssumeUniversal).Ticks
            - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    private static string Show(long micros) => $"{DateTime.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond):yyyy-MM-ddTHH:mm:ss}";
}
