using System.Buffers;
using System.Globalization;
using System.Text;

namespace Weir.Server.Metrics;

/// <summary>
/// Writes metrics in Prometheus' text format 0.0.4. Begin each family once with <see cref="Family"/>, then write its samples.
/// </summary>
internal readonly ref struct PrometheusWriter(IBufferWriter<byte> output)
{
    /// <summary>The content type of the format.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>Begins a family of samples that share a name.</summary>
    /// <param name="name">The name, without the suffixes of histograms.</param>
    /// <param name="type"><c>counter</c>, <c>gauge</c> or <c>histogram</c>.</param>
    /// <param name="help">One sentence on what is measured.</param>
    public void Family(string name, string type, string help)
    {
        Text($"# HELP {name} ");
        Escaped(help, quotes: false);
        Text($"\n# TYPE {name} {type}\n");
    }

    /// <summary>Writes one sample. Label values may be any text.</summary>
    public void Sample(string name, double value, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        Text(name);
        for (var i = 0; i < labels.Length; i++)
        {
            Text(i == 0 ? "{" : ",");
            Text(labels[i].Name);
            Text("=\"");
            Escaped(labels[i].Value, quotes: true);
            Text("\"");
        }
        Text(labels.IsEmpty ? " " : "} ");
        Text(Number(value));
        Text("\n");
    }

    /// <summary>Writes a family of one counter without labels.</summary>
    public void Counter(string name, double value, string help)
    {
        Family(name, "counter", help);
        Sample(name, value);
    }

    /// <summary>Writes a family of one gauge without labels.</summary>
    public void Gauge(string name, double value, string help)
    {
        Family(name, "gauge", help);
        Sample(name, value);
    }

    /// <summary>Writes a histogram in seconds, its buckets cumulated.</summary>
    public void Histogram(string name, LatencyHistogram histogram, string help)
    {
        Span<long> counts = stackalloc long[histogram.Bounds.Length + 1];
        var sum = histogram.Read(counts);
        Family(name, "histogram", help);
        var total = 0L;
        for (var i = 0; i < counts.Length; i++)
        {
            total += counts[i];
            Sample($"{name}_bucket", total, ("le", i < histogram.Bounds.Length ? Number(histogram.Bounds[i]) : "+Inf"));
        }
        Sample($"{name}_sum", sum);
        // The count is that of the last bucket rather than a counter of its own, so that both agree while requests are being recorded.
        Sample($"{name}_count", total);
    }

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };

    private void Escaped(string text, bool quotes)
    {
        var escaped = text.Replace("\\", "\\\\").Replace("\n", "\\n");
        Text(quotes ? escaped.Replace("\"", "\\\"") : escaped);
    }

    private void Text(string text) => Encoding.UTF8.GetBytes(text, output);
}
