using System.Net;

namespace Weir.LoadGen.Sending;

/// <summary>One server that gets requests.</summary>
/// <param name="Url">Scheme, host and port, and perhaps a path that goes before the template's.</param>
/// <param name="Address">The address behind the name, where every address is a target of its own; null leaves the choice to the system.</param>
internal sealed record Target(Uri Url, IPAddress? Address)
{
    /// <summary>The name in reports.</summary>
    public string Name => Address is null ? Base : $"{Base} ({Address})";

    /// <summary>The name without its scheme, where there is little room.</summary>
    public string ShortName => Name[(Name.IndexOf("://", StringComparison.Ordinal) + 3)..];

    /// <summary>The URL without a slash at its end.</summary>
    public string Base => (Url.GetLeftPart(UriPartial.Authority) + Url.AbsolutePath).TrimEnd('/');
}
