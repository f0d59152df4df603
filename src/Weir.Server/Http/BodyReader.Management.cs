using System.Text;
using Weir.Server.Deciding;
using Weir.Server.Management;

namespace Weir.Server.Http;

/// <content>Bodies of management calls.</content>
internal ref partial struct BodyReader
{
    /// <summary>Reads a limit for one key.</summary>
    public static OverrideRequest ReadOverride(ReadOnlySpan<byte> body)
    {
        long? limit = null, window = null, burst = null;
        string? algorithm = null;
        ReadObject(body, "limit, window_ms, algorithm, burst", (ref BodyReader reader, string name, string at) =>
        {
            switch (name)
            {
                case "limit": limit = reader.Whole(at, 0, RuleBounds.MaxFixedWindowPermits); break;
                case "window_ms": window = reader.Whole(at, 1, RuleBounds.MaxWindowMicros / 1000); break;
                case "algorithm": algorithm = reader.Text(at); break;
                case "burst": burst = reader.Whole(at, 1, RuleBounds.MaxPermits); break;
                default: return false;
            }
            return true;
        });
        return new OverrideRequest(limit ?? throw new InputException("limit", "is missing. Give the permits per window, 0 to refuse everything."),
            window, algorithm, burst);
    }

    /// <summary>Reads what to explain.</summary>
    public static ExplainRequest ReadExplain(ReadOnlySpan<byte> body)
    {
        string? key = null, domain = null;
        List<DescriptorEntry>? entries = null;
        ReadObject(body, "key, domain, entries", (ref BodyReader reader, string name, string at) =>
        {
            switch (name)
            {
                case "key": key = reader.Text(at); break;
                case "domain": domain = reader.Text(at); break;
                case "entries": entries = reader.Entries(at); break;
                default: return false;
            }
            return true;
        });
        if (key is null == entries is null || (key is not null && domain is not null))
            throw new InputException("entries", "give either a key, or entries and a domain.");
        if (key is not null)
            RawTarget.Check(Encoding.UTF8.GetBytes(key));
        return new ExplainRequest(key, domain ?? RuleSet.DefaultDomain, entries);
    }

    private static void ReadObject(ReadOnlySpan<byte> body, string known, Field field) => Read(body, CheckFields.None, (ref BodyReader reader) =>
    {
        reader.Object("", field, known);
        return true;
    });
}
