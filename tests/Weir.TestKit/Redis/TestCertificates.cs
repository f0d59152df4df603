using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Weir.TestKit.Redis;

/// <summary>An authority and a certificate that it signed, as PEM files in a folder.</summary>
public sealed class TestCertificates : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("weir-certs-").FullName;

    /// <summary>Makes both.</summary>
    /// <param name="host">Whom the certificate is for; an address, or a name.</param>
    public TestCertificates(string host = "127.0.0.1")
    {
        var from = TimeProvider.System.GetUtcNow().AddDays(-1);
        using var authorityKey = RSA.Create(2048);
        var authority = new CertificateRequest("CN=Weir test authority", authorityKey, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        authority.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(authority.PublicKey, false));
        using var signer = authority.CreateSelfSigned(from, from.AddDays(3));
        using var key = RSA.Create(2048);
        var request = new CertificateRequest($"CN={host}", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(host, out var address))
            names.AddIpAddress(address);
        else
            names.AddDnsName(host);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(signer, from, from.AddDays(2), RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(CaFile, signer.ExportCertificatePem());
        File.WriteAllText(CertificateFile, certificate.ExportCertificatePem());
        File.WriteAllText(KeyFile, key.ExportPkcs8PrivateKeyPem());
    }

    public string CaFile => Path.Combine(_directory, "ca.pem");

    public string CertificateFile => Path.Combine(_directory, "server.pem");

    public string KeyFile => Path.Combine(_directory, "server.key");

    /// <summary>Options for a server that speaks TLS at a port of which it is told besides.</summary>
    public IReadOnlyList<string> Options =>
        ["--tls-cert-file", CertificateFile, "--tls-key-file", KeyFile, "--tls-ca-cert-file", CaFile, "--tls-auth-clients", "no"];

    /// <summary>Starts a server that speaks TLS only.</summary>
    public Task<RedisServer> StartServerAsync(params string[] arguments) => RedisServer.StartAsync(port => ["--port", "0", "--tls-port", $"{port}", .. Options, .. arguments]);

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
