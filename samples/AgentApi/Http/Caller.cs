using AgentApi.Configuration;

namespace AgentApi.Http;

/// <summary>Who asks: the user of the request's API key.</summary>
internal static class Caller
{
    public const string Header = "X-API-Key";

    private static readonly object UserSlot = new();
    private static readonly object UnknownSlot = new();

    /// <summary>Looks the key up.</summary>
    public static void Identify(HttpContext context, ApiKeys keys)
    {
        var given = context.Request.Headers[Header];
        if (given.Count == 0)
            return;
        if (given is [{ } key] && keys.TryFind(key, out var user))
            context.Items[UserSlot] = user;
        else
            context.Items[UnknownSlot] = true;
    }

    /// <summary>Whether there is a key, and nobody has it.</summary>
    public static bool IsUnknown(HttpContext context) => context.Items.ContainsKey(UnknownSlot);

    /// <summary>The user, or null when the request has no key.</summary>
    public static string? Of(HttpContext context) => context.Items[UserSlot] as string;

    /// <summary>The user.</summary>
    /// <exception cref="InputException">The request has no key.</exception>
    public static string Require(HttpContext context) =>
        Of(context) ?? throw new InputException(Header, "this needs a key. Send the header X-API-Key with one.", StatusCodes.Status401Unauthorized);
}
