namespace Weir.Resp;

/// <summary>How a server proves who it is. Used with <c>rediss://</c>; immutable.</summary>
public sealed record RespTlsOptions
{
    /// <summary>A PEM file with the only authorities to trust. Default null: those that the operating system trusts.</summary>
    public string? CaFile { get; init; }

    /// <summary>
    /// Accepts any certificate, so that traffic is encrypted but whoever sits between can read it. Default false.
    /// <see cref="CaFile"/> is then ignored.
    /// </summary>
    public bool SkipVerification { get; init; }
}
