using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Weir.Resp;

/// <summary>TLS towards a server, and telling whether a server speaks it. Thread safe.</summary>
internal sealed class RespTls(RespTlsOptions options)
{
    /// <summary>Encrypts a connection.</summary>
    /// <exception cref="RespFailureException">The server's certificate is not good enough, or it does not speak TLS as we do.</exception>
    public async Task<Stream> AuthenticateAsync(Stream stream, RespEndpoint endpoint, CancellationToken cancellationToken)
    {
        var errors = SslPolicyErrors.None;
        var settings = new SslClientAuthenticationOptions
        {
            TargetHost = endpoint.Host,
            RemoteCertificateValidationCallback = (_, _, _, found) =>
            {
                errors = found;
                return options.SkipVerification || found == SslPolicyErrors.None;
            },
            CertificateChainPolicy = ReadTrust(endpoint),
        };
        var encrypted = new SslStream(stream);
        try
        {
            await encrypted.AuthenticateAsClientAsync(settings, cancellationToken);
            return encrypted;
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            await encrypted.DisposeAsync();
            throw new RespFailureException(new RespFailure(RespStage.Tls, CauseOf(errors)), endpoint, (e.InnerException ?? e).Message, e);
        }
        catch
        {
            await encrypted.DisposeAsync();
            throw;
        }
    }

    /// <summary>Whether a server answers a plain <c>PING</c>, be it with an error. Nothing secret is sent.</summary>
    public static async Task<bool> IsPlainAsync(Stream stream, CancellationToken cancellationToken)
    {
        await stream.WriteAsync("*1\r\n$4\r\nPING\r\n"u8.ToArray(), cancellationToken);
        var first = new byte[1];
        return await stream.ReadAsync(first, cancellationToken) == 1 && first[0] is (byte)'+' or (byte)'-';
    }

    /// <summary>Whether a server agrees to TLS, whoever it is. Nothing secret is sent.</summary>
    [SuppressMessage("Security", "CA5359", Justification = "Any certificate will do, because nothing follows.")]
    public static async Task<bool> IsTlsAsync(Stream stream, CancellationToken cancellationToken)
    {
        await using var encrypted = new SslStream(stream, leaveInnerStreamOpen: true, static (_, _, _, _) => true);
        await encrypted.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "" }, cancellationToken);
        return true;
    }

    private X509ChainPolicy? ReadTrust(RespEndpoint endpoint)
    {
        if (options.CaFile is null || options.SkipVerification)
            return null;
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        try
        {
            // Read each time, so that a renewed file is used by the next connection.
            policy.CustomTrustStore.ImportFromPemFile(options.CaFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw Unreadable(e.Message, e);
        }
        return policy.CustomTrustStore.Count > 0 ? policy : throw Unreadable($"{options.CaFile} has no certificate", null);

        RespFailureException Unreadable(string detail, Exception? inner) =>
            new(new RespFailure(RespStage.Tls, RespCause.CaFileUnreadable), endpoint, detail, inner);
    }

    private static RespCause CauseOf(SslPolicyErrors errors) => errors switch
    {
        SslPolicyErrors.None => RespCause.TlsFailed,
        SslPolicyErrors.RemoteCertificateNameMismatch => RespCause.CertificateNameMismatch,
        _ => RespCause.CertificateUntrusted,
    };
}
