namespace Weir;

/// <summary>Units of calendar windows. A week starts on Monday.</summary>
public enum CalendarUnit
{
    /// <summary>A minute of the wall clock.</summary>
    Minute,

    /// <summary>An hour of the wall clock.</summary>
    Hour,

    /// <summary>A local day: 23 to 25 hours where daylight saving changes.</summary>
    Day,

    /// <summary>A week from Monday, local midnight.</summary>
    Week,

    /// <summary>A month: 28 to 31 days.</summary>
    Month,

    /// <summary>A year: 365 or 366 days.</summary>
    Year,
}
