namespace Weir.Resp;

/// <summary>Who has which slots, as one node told it. Immutable.</summary>
internal sealed class ClusterMap
{
    private ClusterMap(IReadOnlyList<(int First, int Last, RespEndpoint Primary)> ranges)
    {
        Ranges = ranges;
        Primaries = ranges.Select(static r => r.Primary).ToHashSet();
    }

    public IReadOnlyList<(int First, int Last, RespEndpoint Primary)> Ranges { get; }

    public IReadOnlySet<RespEndpoint> Primaries { get; }

    /// <summary>Reads the reply to <c>CLUSTER SLOTS</c>: ranges, each with its primary and then its replicas.</summary>
    /// <exception cref="InvalidOperationException">The reply does not look like that.</exception>
    public static ClusterMap Read(RespReader reader, RespEndpoint asked)
    {
        var ranges = new List<(int, int, RespEndpoint)>();
        for (var due = Count(reader, 0); due > 0; due--)
        {
            reader.Read();
            var parts = Count(reader, 3);
            var (first, last) = (Slot(ref reader), Slot(ref reader));
            if (last < first)
                throw Unexpected();
            var primary = Node(ref reader, asked);
            for (var replicas = parts - 3; replicas > 0; replicas--)
            {
                reader.Read();
                reader.Skip();
            }
            ranges.Add((first, last, primary));
        }
        return new ClusterMap(ranges);
    }

    private static int Slot(ref RespReader reader)
    {
        reader.Read();
        return reader.GetInt64() is >= 0 and < RespSlots.Count and var slot ? (int)slot : throw Unexpected();
    }

    private static RespEndpoint Node(ref RespReader reader, RespEndpoint asked)
    {
        reader.Read();
        var parts = Count(reader, 2);
        reader.Read();
        var host = RespEndpoint.HostOr(asked, reader.GetString());
        reader.Read();
        var port = reader.GetInt64();
        for (var more = parts - 2; more > 0; more--)
        {
            reader.Read();
            reader.Skip();
        }
        return port is > 0 and <= ushort.MaxValue ? new RespEndpoint(host, (int)port) : throw Unexpected();
    }

    private static int Count(RespReader reader, int least) =>
        reader.Type == RespType.Array && reader.Count >= least ? reader.Count : throw Unexpected();

    private static InvalidOperationException Unexpected() => new("The reply to CLUSTER SLOTS does not look like one.");
}
