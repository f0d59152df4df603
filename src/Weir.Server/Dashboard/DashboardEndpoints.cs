using System.Collections.Frozen;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Weir.Server.Deciding;
using Weir.Server.Management;

namespace Weir.Server.Dashboard;

/// <summary>The dashboard: one page with its parts beside it, all built into the program.</summary>
internal static class DashboardEndpoints
{
    private const string Folder = "dashboard/";

    // The page shows keys that strangers chose. It puts them in as text; should it ever fail to, the browser still runs no script but ours, refuses text
    // where a script could come from, and talks to no other server.
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; " +
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    private static readonly FrozenDictionary<string, EmbeddedFile> Files = typeof(DashboardEndpoints).Assembly.GetManifestResourceNames()
        .Where(static name => name.StartsWith(Folder, StringComparison.Ordinal))
        .ToFrozenDictionary(static name => name[Folder.Length..], EmbeddedFile.Load);

    private static readonly EmbeddedFile Page = EmbeddedFile.Load("dashboard.html");

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/", static (HttpContext context) =>
        {
            context.Response.Headers.ContentSecurityPolicy = Policy;
            context.Response.Headers["Referrer-Policy"] = "no-referrer";
            return Page.Send(context);
        });
        routes.MapGet("/dashboard/{file}", static (string file, HttpContext context) => Files.TryGetValue(file, out var part)
            ? part.Send(context)
            : ManagementResults.Problem(new InputException("file", $"the dashboard has no '{file}'. GET / is the dashboard.", 404)));
    }
}
