using System.Text;
using System.Text.Json;
using Weir.Server.Deciding;

namespace Weir.Server.Http;

/// <summary>
/// Reads the bodies of calls. Strict, because a misspelled field would otherwise silently decide something else: unknown and repeated fields, wrong
/// types and values out of range are errors that name the field.
/// </summary>
internal ref partial struct BodyReader
{
    private Utf8JsonReader _json;
    private readonly CheckFields _allowed;

    private BodyReader(ReadOnlySpan<byte> body, CheckFields allowed)
    {
        _json = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = 16 });
        _allowed = allowed;
    }

    /// <summary>Reads one check.</summary>
    public static CheckRequest ReadOne(ReadOnlySpan<byte> body, CheckFields allowed) =>
        Read(body, allowed, static (ref BodyReader reader) => reader.Check("", null));

    /// <summary>Reads one check, or the list in <c>checks</c>.</summary>
    /// <returns>The single check with a null list, or the list.</returns>
    public static (CheckRequest? One, List<CheckRequest>? Many) ReadOneOrMany(ReadOnlySpan<byte> body)
    {
        List<CheckRequest>? many = null;
        var one = Read(body, CheckFields.None, (ref BodyReader reader) => reader.Check("", list => many = list));
        return many is null ? (one, null) : (null, many);
    }

    /// <summary>Reads an object of the two fields of a settlement.</summary>
    /// <returns>The reservation and what it is to be corrected to; null leaves it as it is.</returns>
    public static (string Reservation, int? Actual) ReadSettlement(ReadOnlySpan<byte> body, bool needsActual)
    {
        string? id = null;
        int? actual = null;
        var isGiven = false;
        ReadObject(body, needsActual ? "reservation, actual" : "reservation", (ref BodyReader reader, string name, string at) =>
        {
            if (name == "reservation")
                id = reader.Text(at);
            else if (name == "actual" && needsActual)
                (isGiven, actual) = (true, reader.IsNull ? null : (int)reader.Whole(at, 0, RuleBounds.MaxCost));
            else
                return false;
            return true;
        });
        if (id is null)
            throw new InputException("reservation", "is missing. Give the id that /reserve answered.");
        if (needsActual && !isGiven)
            throw new InputException("actual", "is missing. Give the permits that were really used.");
        return (id, actual);
    }

    private delegate T Reading<out T>(ref BodyReader reader);

    private delegate bool Field(ref BodyReader reader, string name, string path);

    private static T Read<T>(ReadOnlySpan<byte> body, CheckFields allowed, Reading<T> reading)
    {
        var reader = new BodyReader(body, allowed);
        try
        {
            reader.Next();
            var result = reading(ref reader);
            if (reader._json.Read())
                throw new InputException("body", "has more after its end. Send one JSON object.");
            return result;
        }
        catch (JsonException e)
        {
            throw new InputException("body", body.IsEmpty ? "is empty. Send a JSON object." : $"is not valid JSON: {Reason(e)}");
        }
    }

    private static string Reason(JsonException e)
    {
        var end = e.Message.IndexOf(" LineNumber", StringComparison.Ordinal);
        return $"{(end < 0 ? e.Message : e.Message[..end])} (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1})";
    }

    private void Next()
    {
        if (!_json.Read())
            throw new JsonException("The text ends too early.");
    }

    private CheckRequest Check(string path, Action<List<CheckRequest>>? onMany)
    {
        string? key = null, domain = null, receipt = null;
        int? cost = null;
        long? limit = null, window = null, ttl = null;
        List<AskedDescriptor>? descriptors = null;
        var many = false;
        var allowed = _allowed;
        Object(path, (ref BodyReader reader, string name, string at) =>
        {
            switch (name)
            {
                case "key": key = reader.Text(at); break;
                case "cost": cost = (int)reader.Whole(at, 0, RuleBounds.MaxCost); break;
                case "limit": limit = reader.Whole(at, 1, RuleBounds.MaxFixedWindowPermits); break;
                case "window_ms": window = reader.Whole(at, 1, RuleBounds.MaxWindowMicros / 1000) * 1000; break;
                case "domain": domain = reader.Text(at); break;
                case "descriptors": descriptors = reader.Descriptors(at); break;
                case "ttl_ms" when allowed.HasFlag(CheckFields.Ttl): ttl = reader.Whole(at, InputRanges.MinTtlMillis, InputRanges.MaxTtlMillis); break;
                case "receipt" when allowed.HasFlag(CheckFields.Receipt): receipt = reader.Text(at, CheckEndpoints.MaxReceiptBytes); break;
                case "checks" when onMany is not null: many = true; onMany(reader.Checks(at)); break;
                default: return false;
            }
            return true;
        }, Names(allowed, onMany is not null));
        if (many)
            return OnlyChecks(key ?? domain, descriptors, cost, limit, window);
        Complete(path, key, domain, descriptors, limit, window);
        return new CheckRequest
        {
            Key = key,
            Domain = domain ?? RuleSet.DefaultDomain,
            Descriptors = descriptors ?? [],
            Cost = cost,
            Limit = limit,
            WindowMicros = window,
            TtlMillis = ttl,
            Receipt = receipt,
        };
    }

    private static CheckRequest OnlyChecks(string? name, List<AskedDescriptor>? descriptors, params ReadOnlySpan<long?> numbers)
    {
        foreach (var number in numbers)
            descriptors ??= number is null ? null : [];
        return name is null && descriptors is null
            ? new CheckRequest()
            : throw new InputException("checks", "stands beside other fields. Put them into the checks.");
    }

    private static string Names(CheckFields allowed, bool many) =>
        "key, domain, descriptors, cost, limit, window_ms" + (allowed.HasFlag(CheckFields.Ttl) ? ", ttl_ms" : "")
        + (allowed.HasFlag(CheckFields.Receipt) ? ", receipt" : "") + (many ? ", checks" : "");

    private static void Complete(string path, string? key, string? domain, List<AskedDescriptor>? descriptors, long? limit, long? window)
    {
        if (key is null && descriptors is null)
            throw new InputException(Join(path, "key"), "is missing. Give a key, or a domain and descriptors.");
        if (key is not null && (domain is not null || descriptors is not null))
            throw new InputException(Join(path, "key"), "stands beside a domain or descriptors. Give one or the other.");
        if (descriptors is not null && (limit ?? window) is not null)
            throw new InputException(Join(path, limit is null ? "window_ms" : "limit"), "goes with a key; descriptors take their limits from the rules, or bring a rate_limit each.");
        if (key is not null)
            Prefixed(path, static k => RawTarget.Check(Encoding.UTF8.GetBytes(k)), key);
    }

    // Repeats the path of a batch's item before the field that a shared check names.
    private static void Prefixed(string path, Action<string> check, string value)
    {
        try
        {
            check(value);
        }
        catch (InputException e) when (path.Length > 0)
        {
            throw new InputException(Join(path, e.Field), e.Message[(e.Field.Length + 2)..]);
        }
    }

    private List<CheckRequest> Checks(string path)
    {
        var checks = new List<CheckRequest>();
        Array(path, InputRanges.MaxChecks, (ref BodyReader reader, string _, string at) =>
        {
            checks.Add(reader.Check(at, null));
            return true;
        });
        return checks;
    }

    private List<DescriptorEntry> Entries(string path)
    {
        var entries = new List<DescriptorEntry>();
        Array(path, InputRanges.MaxEntries, (ref BodyReader reader, string _, string at) =>
        {
            string? key = null, value = null;
            reader.Object(at, (ref BodyReader r, string name, string p) =>
            {
                if (name == "key")
                    key = r.Text(p);
                else if (name == "value")
                    value = r.Text(p);
                else
                    return false;
                return true;
            }, "key, value");
            Prefixed(at, static k => RawTarget.Check(Encoding.UTF8.GetBytes(k)), key ?? "");
            entries.Add(new DescriptorEntry(key!, value ?? ""));
            return true;
        });
        return entries;
    }
}
