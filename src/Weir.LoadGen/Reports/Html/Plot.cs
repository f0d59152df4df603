using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Weir.LoadGen.Reports.Html;

/// <summary>Draws a plot as SVG. Colours come from the page's style sheet by class, so that they follow light and dark.</summary>
internal sealed class Plot(Axis across, Axis up, string label)
{
    private const double Width = 1_060;
    private const double Height = 270;
    private const double Left = 64;
    private const double Right = 12;
    private const double Top = 8;
    private const double Bottom = 26;

    private readonly StringBuilder _marks = new();
    private readonly List<object[]> _tips = [];

    /// <summary>Shades a stretch of the axis that goes across.</summary>
    public void Band(double from, double to, string style)
    {
        var (left, right) = (X(from), X(to));
        Add($"<rect class=\"{style}\" x=\"{left:0.#}\" y=\"{Top}\" width=\"{right - left:0.#}\" height=\"{Height - Top - Bottom}\"/>");
    }

    /// <summary>Fills between two heights over each stretch.</summary>
    public void Area(IReadOnlyList<(double From, double To, double Low, double High)> stretches, string style)
    {
        if (!stretches.Any(static s => s.High > s.Low))
            return;
        var path = new StringBuilder();
        foreach (var (from, to, _, high) in stretches)
            path.Append(CultureInfo.InvariantCulture, $"{(path.Length == 0 ? 'M' : 'L')}{X(from):0.#} {Y(high):0.#}H{X(to):0.#}");
        foreach (var (from, to, low, _) in stretches.Reverse())
            path.Append(CultureInfo.InvariantCulture, $"L{X(to):0.#} {Y(low):0.#}H{X(from):0.#}");
        Add($"<path class=\"{style}\" d=\"{path}Z\"/>");
    }

    /// <summary>Draws a line through points; a null breaks it.</summary>
    public void Line(IEnumerable<(double Across, double Up)?> points, string style)
    {
        var path = new StringBuilder();
        var begin = true;
        foreach (var point in points)
        {
            if (point is { } p)
                path.Append(CultureInfo.InvariantCulture, $"{(begin ? 'M' : 'L')}{X(p.Across):0.#} {Y(p.Up):0.#}");
            begin = point is null;
        }
        if (path.Length > 0)
            Add($"<path class=\"l {style}\" d=\"{path}\"/>");
    }

    /// <summary>Draws a line of steps.</summary>
    public void Steps(IEnumerable<(double From, double To, double Up)> steps, string style)
    {
        var path = new StringBuilder();
        foreach (var (from, to, height) in steps)
            path.Append(CultureInfo.InvariantCulture, $"{(path.Length == 0 ? 'M' : 'L')}{X(from):0.#} {Y(height):0.#}H{X(to):0.#}");
        Add($"<path class=\"l {style}\" d=\"{path}\"/>");
    }

    /// <summary>What to show when the pointer is near a place.</summary>
    public void Tip(double at, string text) => _tips.Add([Math.Round(X(at), 1), text]);

    /// <summary>The whole figure.</summary>
    public string Render()
    {
        var svg = new StringBuilder();
        var tips = JsonSerializer.Serialize(_tips, TipOptions);
        svg.Append($"<figure data-tips=\"{WebUtility.HtmlEncode(tips)}\">");
        svg.Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{WebUtility.HtmlEncode(label)}\">");
        foreach (var (value, text) in up.Labels)
        {
            svg.Append(CultureInfo.InvariantCulture, $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(value):0.#}\" y2=\"{Y(value):0.#}\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 8}\" y=\"{Y(value) + 4:0.#}\" text-anchor=\"end\">{WebUtility.HtmlEncode(text)}</text>");
        }
        svg.Append(_marks);
        foreach (var (value, text) in across.Labels)
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{X(value):0.#}\" y=\"{Height - 8}\" text-anchor=\"{AnchorAt(value)}\">{WebUtility.HtmlEncode(text)}</text>");
        svg.Append(CultureInfo.InvariantCulture, $"<line class=\"cursor\" x1=\"0\" x2=\"0\" y1=\"{Top}\" y2=\"{Height - Bottom}\"/></svg></figure>");
        return svg.ToString();
    }

    private static readonly JsonSerializerOptions TipOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private double X(double value) => Left + (across.At(value) * (Width - Left - Right));

    private double Y(double value) => Height - Bottom - (up.At(value) * (Height - Top - Bottom));

    // The outermost labels stay inside the picture.
    private string AnchorAt(double value) => X(value) > Width - Right - 24 ? "end" : "middle";

    private void Add(FormattableString mark) => _marks.Append(mark.ToString(CultureInfo.InvariantCulture));
}
