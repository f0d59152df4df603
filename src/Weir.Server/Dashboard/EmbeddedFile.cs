using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Weir.Server.Dashboard;

/// <summary>A file that is built into the program. Immutable.</summary>
internal sealed class EmbeddedFile
{
    private readonly byte[] _content;
    private readonly string _contentType;
    private readonly EntityTagHeaderValue _tag;

    private EmbeddedFile(byte[] content, string contentType)
    {
        _content = content;
        _contentType = contentType;
        _tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 8))}\"");
    }

    /// <summary>Reads a resource of this assembly.</summary>
    /// <param name="resource">Its name, whose ending tells the content type.</param>
    /// <exception cref="InvalidOperationException">There is none of that name: the build lost it.</exception>
    public static EmbeddedFile Load(string resource)
    {
        using var stream = typeof(EmbeddedFile).Assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"The resource '{resource}' is not in the program. Embed it in Weir.Server.csproj.");
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return new EmbeddedFile(content, ContentTypeOf(resource));
    }

    /// <summary>The file, or 304 for a caller that has it already. A browser asks every time, because another build may answer next.</summary>
    public IResult Send(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-cache";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        return Results.Bytes(_content, _contentType, entityTag: _tag);
    }

    private static string ContentTypeOf(string resource) => Path.GetExtension(resource) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        ".json" => "application/json",
        _ => "application/octet-stream",
    };
}
