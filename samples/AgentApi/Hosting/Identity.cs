using System.Text.RegularExpressions;
using AgentApi.Configuration;

namespace AgentApi.Hosting;

/// <summary>Who answers: in every body, so that people see how a balancer spreads requests.</summary>
/// <param name="Hostname">The name of the machine or container.</param>
/// <param name="ContainerId">The first twelve digits of the container's identifier, or null outside containers.</param>
/// <param name="Instance">The name that was configured; the host name by default.</param>
internal sealed partial record Identity(string Hostname, string? ContainerId, string Instance)
{
    private const int ShownDigits = 12;

    public static Identity Find(AgentConfig config)
    {
        var host = Environment.MachineName;
        return new Identity(host, FindContainer(host), config.Instance);
    }

    // Engines mount /etc/hostname from a folder that is called like the container. Where they do not, the host name is its short identifier
    // unless somebody chose another.
    private static string? FindContainer(string host)
    {
        try
        {
            var mounts = File.ReadAllText("/proc/self/mountinfo");
            if (Container().Match(mounts) is { Success: true } match)
                return match.Groups["id"].Value[..ShownDigits];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not Linux, or not for us to read.
        }
        return File.Exists("/.dockerenv") && ShortId().IsMatch(host) ? host : null;
    }

    [GeneratedRegex("/(containers|overlay-containers)/(?<id>[0-9a-f]{64})/", RegexOptions.NonBacktracking | RegexOptions.ExplicitCapture)]
    private static partial Regex Container();

    [GeneratedRegex("^[0-9a-f]{12}$", RegexOptions.NonBacktracking)]
    private static partial Regex ShortId();
}
