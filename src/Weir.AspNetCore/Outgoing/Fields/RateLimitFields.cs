namespace Weir.AspNetCore.Outgoing.Fields;

/// <summary>The limit that binds, as an answer's fields tell it.</summary>
/// <param name="Remaining">Requests that may still be sent; null when the field tells only when.</param>
/// <param name="ResetSeconds">Seconds until there are more; null when not told.</param>
internal readonly record struct BindingLimit(long? Remaining, double? ResetSeconds)
{
    /// <summary>Of two limits the one that is exhausted, for longer; else the one with less remaining.</summary>
    public static BindingLimit Tighter(BindingLimit left, BindingLimit right)
    {
        var (more, less) = left.Remaining <= right.Remaining ? (right, left) : (left, right);
        if (less.Remaining != more.Remaining)
            return less;
        return (left.ResetSeconds ?? -1) >= (right.ResetSeconds ?? -1) ? left : right;
    }
}

/// <summary>
/// Reads the IETF fields <c>RateLimit</c> and <c>RateLimit-Policy</c>: the list of items of draft-ietf-httpapi-ratelimit-headers-08 and later
/// (<c>"name";r=4;t=60</c>), and the dictionary of drafts 03 to 07 (<c>limit=5, remaining=4, reset=60</c>).
/// </summary>
/// <remarks>A field with a mistake anywhere is ignored as a whole, as structured fields are. Limits that do not count requests are passed over.</remarks>
internal static class RateLimitFields
{
    // A longer field is not what the draft means, and would only cost time.
    private const int MaxLength = 4096;

    public static BindingLimit? Read(string? rateLimit, string? policy)
    {
        if (rateLimit is null || rateLimit.Length > MaxLength)
            return null;
        policy = policy is { Length: <= MaxLength } ? policy : null;
        return ReadList(rateLimit, policy) ?? ReadDictionary(rateLimit);
    }

    private static BindingLimit? ReadList(string field, string? policies)
    {
        var reader = new StructuredReader(field);
        BindingLimit? binding = null;
        while (reader.NextMember() && reader.ReadItem(out var name))
        {
            long? remaining = null, reset = null;
            while (reader.NextParameter(out var key, out var value))
            {
                if (key is "r")
                    remaining = value.TryGetCount(out var count) ? count : null;
                else if (key is "t")
                    reset = value.TryGetCount(out var seconds) ? seconds : null;
            }
            if (reader.Failed)
                return null;
            if (name.Kind is not (StructuredKind.String or StructuredKind.Token) || remaining is null)
                continue;
            var (countsRequests, window) = Policy(policies, name.Text);
            if (!countsRequests)
                continue;
            // Where the draft's t is left out, no more than a window passes until there is more.
            var limit = new BindingLimit(remaining, reset ?? window);
            binding = binding is { } other ? BindingLimit.Tighter(other, limit) : limit;
        }
        return reader.Failed ? null : binding;
    }

    /// <summary>Looks a policy up by its name; an unknown one counts requests, as the draft's default is.</summary>
    private static (bool CountsRequests, long? WindowSeconds) Policy(string? field, ReadOnlySpan<char> name)
    {
        if (field is null)
            return (true, null);
        var found = (CountsRequests: true, WindowSeconds: (long?)null);
        var reader = new StructuredReader(field);
        while (reader.NextMember() && reader.ReadItem(out var item))
        {
            var counts = true;
            long? window = null;
            while (reader.NextParameter(out var key, out var value))
            {
                if (key is "qu")
                    counts = value.Text is "requests";
                else if (key is "w")
                    window = value.TryGetCount(out var seconds) ? seconds : null;
            }
            if (item.Kind is StructuredKind.String or StructuredKind.Token && item.Text.SequenceEqual(name))
                found = (counts, window);
        }
        return reader.Failed ? (true, null) : found;
    }

    private static BindingLimit? ReadDictionary(string field)
    {
        var reader = new StructuredReader(field);
        long? remaining = null, reset = null;
        while (reader.NextMember() && reader.NextKey(out var key, out var hasValue))
        {
            var value = default(StructuredValue);
            if (hasValue && !reader.ReadItem(out value))
                return null;
            while (reader.NextParameter(out _, out _))
                continue;
            if (hasValue && value.TryGetCount(out var count))
            {
                if (key is "remaining")
                    remaining = count;
                else if (key is "reset")
                    reset = count;
            }
        }
        return reader.Failed || remaining is null ? null : new BindingLimit(remaining, reset);
    }
}
