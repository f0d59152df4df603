using Weir.Resp;

namespace Weir.Server.Hosting;

/// <summary>Tells what is wrong for good, and needs somebody to cure it, from what passes by itself.</summary>
internal static class RedisMistakes
{
    /// <summary>Whether connecting again will not help.</summary>
    /// <param name="failure">Why there is no connection.</param>
    /// <param name="server">What was asked for.</param>
    public static bool Is(RespFailure failure, RespOptions server) => failure.Cause switch
    {
        RespCause.WrongPassword or RespCause.PasswordNeeded or RespCause.Denied or RespCause.WrongDatabase => true,
        RespCause.ServerIsPlain or RespCause.ServerIsTls or RespCause.CertificateUntrusted or RespCause.CertificateNameMismatch
            or RespCause.CaFileUnreadable or RespCause.TlsFailed => true,
        RespCause.NotRedis or RespCause.TooOld or RespCause.IsCluster or RespCause.NotCluster or RespCause.IsSentinel or RespCause.NotSentinel => true,
        RespCause.PrimaryUnknown => true,
        // While Sentinels or a Cluster fail over, the primary that they name may not know yet that it is one.
        RespCause.NotPrimary => server.Topology == RespTopology.Standalone,
        _ => false,
    };
}
