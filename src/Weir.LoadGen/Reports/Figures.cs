namespace Weir.LoadGen.Reports;

/// <summary>Writes numbers for people: three digits that matter, and a unit.</summary>
internal static class Figures
{
    /// <summary>A duration, such as <c>0.31 ms</c>, <c>14.2 ms</c> or <c>1.20 s</c>.</summary>
    public static string Time(long nanos) => nanos switch
    {
        0 => "0 ms",
        < 999_500_000 => $"{Digits(nanos / 1e6)} ms",
        < 100_000_000_000 => $"{Digits(nanos / 1e9)} s",
        _ => $"{nanos / 1e9:N0} s",
    };

    /// <summary>A rate, such as <c>0.25</c>, <c>99.7</c> or <c>4,998</c>.</summary>
    public static string Rate(double rate) => rate >= 999.5 || rate % 1 == 0 ? $"{rate:N0}" : rate >= 100 ? $"{rate:0.0}" : Digits(rate);

    /// <summary>A share, such as <c>12.5 %</c>.</summary>
    public static string Share(double share) => $"{share * 100:0.##} %";

    /// <summary>A part of a whole as a share with one decimal.</summary>
    public static string Part(long part, long whole) => whole == 0 ? "" : $"{100.0 * part / whole:0.0} %";

    /// <summary>Time since the start, such as <c>00:01:20</c>.</summary>
    public static string Clock(double seconds) => $"{(int)seconds / 3600:00}:{(int)seconds / 60 % 60:00}:{(int)seconds % 60:00}";

    private static string Digits(double value) => value switch
    {
        >= 100 => $"{value:0}",
        >= 10 => $"{value:0.0}",
        >= 1 => $"{value:0.00}",
        _ => $"{value:0.000}",
    };
}
