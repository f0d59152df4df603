using System.Diagnostics;
using System.Text.Json;

namespace Weir.Stack.Tests.Running;

/// <summary>What the engine told while a stack came up: who started, who became healthy, and when.</summary>
/// <remarks>Filled by one reading task; read after <see cref="Stop"/>.</remarks>
internal sealed class EventLog : IDisposable
{
    private readonly List<(long AtNanos, string Service, string Action)> _events = [];
    private readonly Process _process;

    private EventLog(Process process)
    {
        _process = process;
        _ = ReadAsync();
    }

    public static EventLog Start(string project)
    {
        var process = Process.Start(new ProcessStartInfo("docker", ["events", "--format", "{{json .}}", "--filter", "type=container", "--filter", $"label=com.docker.compose.project={project}"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
        })!;
        return new EventLog(process);
    }

    /// <summary>The first time that something happened to a service; fails the test when it never did.</summary>
    public long First(string service, string action)
    {
        lock (_events)
        {
            var found = _events.Where(e => e.Service == service && e.Action == action).ToList();
            Assert.True(found.Count > 0, $"{service} never had '{action}'. There was: {string.Join(", ", _events.Select(static e => $"{e.Service} {e.Action}").Distinct())}");
            return found.Min(static e => e.AtNanos);
        }
    }

    /// <summary>Listens no more.</summary>
    public void Stop()
    {
        if (!_process.HasExited)
            _process.Kill();
    }

    public void Dispose()
    {
        Stop();
        _process.Dispose();
    }

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            using var parsed = JsonDocument.Parse(line);
            var root = parsed.RootElement;
            var action = root.GetProperty("Action").GetString()!;
            // Health checks are commands that run in the container, by the hundred.
            if (action.StartsWith("exec", StringComparison.Ordinal))
                continue;
            var service = root.GetProperty("Actor").GetProperty("Attributes").GetProperty("com.docker.compose.service").GetString()!;
            lock (_events)
                _events.Add((root.GetProperty("timeNano").GetInt64(), service, action));
        }
    }
}
