using System.CommandLine;
using System.Net;
using System.Net.Sockets;

namespace Weir.Cli;

/// <summary>Finds the node to talk to.</summary>
internal static class NodeUrl
{
    private const string Variable = "WEIR_URL";
    private const int DefaultPort = 8000;

    /// <summary>The flag that commands which talk to a node share.</summary>
    public static Option<string> Option() => new("--url")
    {
        HelpName = "url",
        Description = $"Address of the node. [{Variable}, default: http://localhost with RATELIMITER_NODE_PORT or {DefaultPort}]",
    };

    /// <summary>The node's address: the flag, WEIR_URL, or the port and address that a node here would take from its environment.</summary>
    /// <param name="flag">The flag's value, if given.</param>
    /// <param name="variable">Reads an environment variable.</param>
    /// <returns>Null when what was given is not the URL of a node.</returns>
    public static Uri? Resolve(string? flag, Func<string, string?> variable)
    {
        var text = NullIfEmpty(flag) ?? NullIfEmpty(variable(Variable)) ?? $"http://{Host(variable)}:{Port(variable)}";
        return Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" ? url : null;
    }

    /// <summary>What to say when <see cref="Resolve"/> finds no URL.</summary>
    public static string Problem(string? flag) =>
        $"{(NullIfEmpty(flag) is null ? Variable : "--url")}: '{NullIfEmpty(flag) ?? Environment.GetEnvironmentVariable(Variable)}' must be a URL such as http://localhost:{DefaultPort}.";

    // A node that listens on one address only is not reached under another.
    private static string Host(Func<string, string?> variable) => variable("RATELIMITER_LISTEN_ADDRESS") switch
    {
        null or "" or "*" => "localhost",
        var host when IPAddress.TryParse(host, out var address) => address switch
        {
            _ when address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) => "localhost",
            { AddressFamily: AddressFamily.InterNetworkV6 } => $"[{address}]",
            _ => address.ToString(),
        },
        var host => host,
    };

    private static int Port(Func<string, string?> variable) =>
        int.TryParse(variable("RATELIMITER_NODE_PORT"), out var port) && port is > 0 and <= IPEndPoint.MaxPort ? port : DefaultPort;

    private static string? NullIfEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;
}
