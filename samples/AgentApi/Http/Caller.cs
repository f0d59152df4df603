using AgentApi.Configuration;

namespace AgentApi.Http;

/// <summary>Who asks: the user of the request's API key.</summary>
internal static class Caller
{
    public const string Header = "X-API-Key";

    private static readonly object Slot = new();

    /// <summary>Looks the key up.</summary>
    /// <returns>False when there is a key that nobody has.</returns>
    public static bool TryIdentify(HttpContext context, ApiKeys keys)
    {
        var given = context.Request.Headers[Header];
        if (given.Count == 0)
            return true;
        if (given is not [{ } key] || !keys.TryFind(key, out var user))
            return false;
        context.Items[Slot] = user;
        return true;
    }

    /// <summary>The user, or null when the request has no key.</summary>
    public static string? Of(HttpContext context) => context.Items[Slot] as string;

    /// <summary>The user.</summary>
    /// <exception cref="InputException">The request has no key.</exception>
    public static string Require(HttpContext context) =>
        Of(context) ?? throw new InputException(Header, "this needs a key. Send the header X-API-Key with one.", StatusCodes.Status401Unauthorized);
}
