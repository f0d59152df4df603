using Weir.Server.Deciding;

namespace Weir.Server.Http;

/// <content>Descriptors, and the limits that they bring along.</content>
internal ref partial struct BodyReader
{
    private static readonly string[] FailureNames = ["closed", "open", "local"];

    private List<AskedDescriptor> Descriptors(string path)
    {
        var descriptors = new List<AskedDescriptor>();
        var mayBeFinal = _allowed.HasFlag(CheckFields.Final);
        Array(path, ILimiter.MaxCharges, (ref BodyReader reader, string _, string at) =>
        {
            List<DescriptorEntry>? entries = null;
            RuleOptions? limit = null;
            int? cost = null;
            var isFinal = false;
            reader.Object(at, (ref BodyReader r, string name, string p) =>
            {
                switch (name)
                {
                    case "entries": entries = r.Entries(p); break;
                    case "cost": cost = (int)r.Whole(p, 0, RuleBounds.MaxCost); break;
                    case "rate_limit": limit = r.RateLimit(p); break;
                    case "final" when mayBeFinal: isFinal = r.Flag(p); break;
                    default: return false;
                }
                return true;
            }, mayBeFinal ? "entries, cost, rate_limit, final" : "entries, cost, rate_limit");
            var descriptor = new Descriptor(entries ?? throw new InputException(Join(at, "entries"), "is missing. Give 1 or more."), cost);
            descriptors.Add(new AskedDescriptor(descriptor, limit is { Name.Length: 0 } ? limit with { Name = NameOf(entries) } : limit, isFinal));
            return true;
        });
        return descriptors;
    }

    // Without a name of its own it is called after what it limits.
    private static string NameOf(List<DescriptorEntry> entries)
    {
        var name = string.Join('/', entries.Select(static e => e.Key));
        return name.Length <= 128 ? name : name[..128];
    }

    // Numbers are checked together when the rule is made; an empty name stands for none.
    private RuleOptions RateLimit(string path)
    {
        var options = new RuleOptions { Name = "" };
        long? limit = null, window = null;
        Object(path, (ref BodyReader reader, string name, string at) =>
        {
            switch (name)
            {
                case "name": options = options with { Name = reader.Text(at) is { Length: > 0 } given ? given : throw new InputException(at, "is empty. Give a name, or none.") }; break;
                case "algorithm": options = options with { Algorithm = reader.Choice<AlgorithmKind>(at, AlgorithmNames.All) }; break;
                case "limit": limit = reader.Whole(at, 0, RuleBounds.MaxFixedWindowPermits); break;
                case "window_ms": window = reader.Whole(at, 1, RuleBounds.MaxWindowMicros / 1000); break;
                case "burst": options = options with { Burst = reader.Whole(at, 1, RuleBounds.MaxPermits) }; break;
                case "failure": options = options with { Failure = reader.Choice<FailurePolicy>(at, FailureNames) }; break;
                case "shadow": options = options with { Shadow = reader.Flag(at) }; break;
                default: return false;
            }
            return true;
        }, "name, algorithm, limit, window_ms, burst, failure, shadow");
        return options with
        {
            Permits = limit ?? throw new InputException(Join(path, "limit"), "is missing. Give the permits per window, 0 to refuse everything."),
            Window = TimeSpan.FromMilliseconds(window ?? throw new InputException(Join(path, "window_ms"), "is missing. Give the window's length.")),
        };
    }
}
