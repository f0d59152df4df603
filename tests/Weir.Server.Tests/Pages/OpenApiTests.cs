using System.Text.Json;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Weir.Server.Configuration;
using Weir.Server.Http;
using Weir.Server.Tests.Http;

namespace Weir.Server.Tests.Pages;

/// <summary>The description is whole, agrees with itself, and names exactly the routes that the node has.</summary>
public sealed class OpenApiTests
{
    [Fact]
    public async Task Document_IsJsonOfThisVersion_AndIsNotSentTwice()
    {
        await using var node = await RunningNode.StartAsync();

        var reply = await node.GetAsync("/openapi.json");
        var again = await node.SendAsync(HttpMethod.Get, "/openapi.json", null, ("If-None-Match", reply.Header("ETag")!));

        Assert.Equal("application/json", reply.Header("Content-Type"));
        Assert.Equal("3.1.0", reply.String("openapi"));
        Assert.Equal(BuildInfo.Version, reply.Json.GetProperty("info").GetProperty("version").GetString());
        Assert.Equal((304, 0), (again.Status, again.Body.Length));
    }

    [Fact]
    public async Task EveryReference_Resolves_AndEveryPartIsUsed()
    {
        await using var node = await RunningNode.StartAsync();
        var document = await OpenApiDocument.OfAsync(node);

        var used = document.Objects().Where(o => o.Object.TryGetProperty("$ref", out _)).Select(o => o.Object.GetProperty("$ref").GetString()!).ToHashSet();

        Assert.All(used, reference => document.Find(reference));
        Assert.All(document.Root.GetProperty("components").EnumerateObject().Where(kind => kind.Name != "securitySchemes"), kind =>
            Assert.All(kind.Value.EnumerateObject(), part => Assert.Contains($"#/components/{kind.Name}/{part.Name}", used)));
    }

    [Fact]
    public async Task Routes_AreThoseOfTheNode()
    {
        await using var node = await RunningNode.StartAsync();
        var document = await OpenApiDocument.OfAsync(node);

        var mapped = node.Node.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(e => e.Order < int.MaxValue)
            .SelectMany(e => e.Metadata.GetRequiredMetadata<HttpMethodMetadata>().HttpMethods.Select(method => $"{method} {Path(e)}"));
        var calls = CheckEndpoints.Known.Select(c => $"{c.Method} {c.Path}");

        Assert.Equal(
            mapped.Concat(calls).Append("GET /rate-limit/{key}").Order(StringComparer.Ordinal),
            document.Operations.Select(o => $"{o.Method} {o.Path}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Operations_AreNamedOnce_AndDescribeTheirPathParameters()
    {
        await using var node = await RunningNode.StartAsync();
        var document = await OpenApiDocument.OfAsync(node);

        Assert.Distinct(document.Operations.Select(o => o.Operation.GetProperty("operationId").GetString()));
        Assert.All(document.Operations, o =>
        {
            var parameters = o.Operation.TryGetProperty("parameters", out var list) ? list.EnumerateArray().ToList() : [];
            var inPath = parameters.Where(p => p.GetProperty("in").GetString() == "path").Select(p => $"{{{p.GetProperty("name").GetString()}}}");
            Assert.Equal(o.Path.Split('/').Where(part => part.StartsWith('{')), inPath);
        });
    }

    [Fact]
    public async Task ManagementAlone_NeedsTheToken()
    {
        await using var node = await RunningNode.StartAsync();
        var document = await OpenApiDocument.OfAsync(node);

        Assert.All(document.Operations, o => Assert.Equal(o.Path.StartsWith("/api/"), o.Operation.TryGetProperty("security", out _)));
        Assert.All(document.Operations, o => Assert.Equal(o.Path.StartsWith("/api/"), document.Response(o.Operation, 401) is not null));
    }

    [Fact]
    public async Task Examples_FitTheirSchemas()
    {
        await using var node = await RunningNode.StartAsync();
        var document = await OpenApiDocument.OfAsync(node);
        var check = new SchemaCheck(document);

        var examples = document.Objects().Where(o => o.Object.TryGetProperty("schema", out _)).SelectMany(o => ExamplesOf(o.Place, o.Object)).ToList();

        Assert.True(examples.Count > 40, $"Only {examples.Count} examples were found.");
        Assert.All(examples, e => Assert.Empty(check.Problems(e.Schema, e.Example, e.Place)));
    }

    private static IEnumerable<(string Place, JsonElement Schema, JsonElement Example)> ExamplesOf(string place, JsonElement content)
    {
        var schema = content.GetProperty("schema");
        if (content.TryGetProperty("example", out var one))
            yield return (place, schema, one);
        if (content.TryGetProperty("examples", out var many))
        {
            foreach (var example in many.EnumerateObject())
                yield return ($"{place}/{example.Name}", schema, example.Value.GetProperty("value"));
        }
    }

    private static string Path(RouteEndpoint endpoint) => "/" + endpoint.RoutePattern.RawText!.Trim('/');
}
