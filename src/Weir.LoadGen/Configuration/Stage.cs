using System.Globalization;
using Weir.LoadGen.Profiles;
using YamlDotNet.RepresentationModel;

namespace Weir.LoadGen.Configuration;

/// <summary>Reads one stage of a scenario.</summary>
internal sealed class Stage(string kind, YamlMappingNode fields, Scenario scenario)
{
    /// <summary>All kinds, for messages.</summary>
    public const string Kinds = "constant, ramp, burst, spike, step or pause";

    private readonly HashSet<string> _read = new(StringComparer.Ordinal);
    private bool _failed;

    /// <summary>The stage's segments, from 0 on.</summary>
    /// <returns>Null when something is wrong, which was told.</returns>
    public Segment[]? TryRead()
    {
        var segments = kind switch
        {
            "constant" => Shapes.Constant(Rate("rps"), Time("duration")),
            "pause" => Shapes.Constant(0, Time("duration")),
            "ramp" => Shapes.Ramp(Rate("from"), Rate("to"), Time("duration")),
            "burst" => Burst(),
            "spike" => Spike(),
            "step" => Shapes.Steps(Rate("from"), Rate("to"), (int)Number("steps", 1, Bounds.MostSteps, "a whole number of steps", whole: true), Time("duration")),
            _ => Unknown(),
        };
        if (segments.Length > 0)
            TellUnread();
        return _failed ? null : segments;
    }

    private Segment[] Burst()
    {
        var (rate, factor, interval, length, duration) = (Rate("rps"), Number("multiplier", 1, Bounds.MostMultiplier, "a factor"), Time("interval"), Time("length"), Time("duration"));
        if (!_failed && length >= interval)
            Fail($"burst: length, {Times.Format(length)}, must be shorter than interval, {Times.Format(interval)}.");
        if (!_failed && rate * factor > Bounds.MostRate)
            Fail($"burst: {rate:0.###} times {factor:0.###} is more than {Bounds.MostRate:N0} requests a second. Lower rps or multiplier.");
        if (!_failed && duration / interval > Bounds.MostBursts)
            Fail($"burst: {duration / interval:N0} bursts are more than {Bounds.MostBursts:N0}. Raise interval, {Times.Format(interval)}, or lower duration, {Times.Format(duration)}.");
        return _failed ? Shapes.Constant(0, 1) : [.. Shapes.RampAndBursts(rate, 0, new Bursts(factor, interval, length), duration).Segments()];
    }

    private Segment[] Spike()
    {
        var (rate, to, after, length, duration) = (Rate("rps"), Rate("to"), Time("after", least: 0), Time("length"), Time("duration"));
        if (!_failed && after + length > duration)
            Fail($"spike: after and length, together {Times.Format(after + length)}, must fit into duration, {Times.Format(duration)}.");
        return Shapes.Spike(rate, to, after, length, duration);
    }

    private Segment[] Unknown()
    {
        Fail($"'{kind}' is not a stage. Known: {Kinds}.");
        return [];
    }

    private double Rate(string field) => Number(field, 0, Bounds.MostRate, "a rate", " requests a second");

    private double Time(string field, double least = Bounds.LeastSeconds)
    {
        if (Text(field) is not { } text)
            return 1;
        if (Times.TryParse(text) is { } seconds && seconds >= least && seconds <= Bounds.MostSeconds)
            return seconds;
        Fail($"{kind}: {field}: '{text}' must be a time from {Times.Format(least)} to {Times.Format(Bounds.MostSeconds)}, such as 30s or 1m30s.", field);
        return 1;
    }

    private double Number(string field, double least, double most, string what, string unit = "", bool whole = false)
    {
        if (Text(field) is not { } text)
            return least;
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most && (!whole || number % 1 == 0))
            return number;
        Fail($"{kind}: {field}: '{text}' must be {what} from {least:0.###} to {most:N0}{unit}.", field);
        return least;
    }

    private string? Text(string field)
    {
        _read.Add(field);
        var node = NodeOf(field);
        if (node is YamlScalarNode { Value: { Length: > 0 } value })
            return value;
        if (node is null)
            Fail($"{kind}: {field} is missing.");
        else
            Fail($"{kind}: {field}: must be one value, such as {field}: 30, and is {(node is YamlScalarNode ? "empty" : node is YamlSequenceNode ? "a list" : "a mapping")}.", field);
        return null;
    }

    private void TellUnread()
    {
        foreach (var key in fields.Children.Keys.OfType<YamlScalarNode>().Where(k => !_read.Contains(k.Value ?? "")))
        {
            scenario.Problem(key, $"{kind}: '{key.Value}' is not a field of it. Known: {string.Join(", ", _read)}.");
            _failed = true;
        }
    }

    private YamlNode? NodeOf(string field) => fields.Children.FirstOrDefault(c => c.Key is YamlScalarNode key && key.Value == field).Value;

    private void Fail(string problem, string? field = null)
    {
        scenario.Problem((field is null ? null : NodeOf(field)) ?? fields, problem);
        _failed = true;
    }
}
