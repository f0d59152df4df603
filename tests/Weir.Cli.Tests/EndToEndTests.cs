using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Weir.Server;
using Weir.TestKit.Nodes;

namespace Weir.Cli.Tests;

/// <summary>The executable against itself: a node in one process, commands in others.</summary>
public sealed class EndToEndTests
{
    [Fact]
    public async Task Node_DecidesForOtherProcesses_AndStopsOnSigterm()
    {
        var (node, url) = await WeirProcess.ServeAsync("--default-limit", "2", "--default-window-ms", "3600000", "--node-id", "e2e");
        await using (node)
        {
            var health = await WeirProcess.RunAsync("health", "--ready", "--url", url);
            var looked = await WeirProcess.RunAsync("check", "alice", "--cost", "0", "--url", url);
            var first = await WeirProcess.RunAsync("check", "alice", "--url", url);
            var second = await WeirProcess.RunAsync("check", "alice", "--json", "--url", url);
            var third = await WeirProcess.RunAsync("check", "alice", "--url", url);
            var never = await WeirProcess.RunAsync("check", "alice", "--cost", "3", "--url", url);
            var own = await WeirProcess.RunAsync("check", "alice", "--limit", "7", "--window", "1h", "--url", url);
            var bad = await WeirProcess.RunAsync("check", "", "--url", url);

            Assert.Equal((0, ""), (health.ExitCode, health.Errors));
            Assert.Equal((0, "allowed  alice: 2 of 2 left, full again in 0s (rule default)\n"), (looked.ExitCode, looked.Output));
            Assert.Equal((0, "allowed  alice: 1 of 2 left, full again in 1h (rule default)\n"), (first.ExitCode, first.Output));
            Assert.Equal((0, 0), (second.ExitCode, JsonDocument.Parse(second.Output).RootElement.GetProperty("remaining").GetInt32()));
            Assert.Equal(1, third.ExitCode);
            Assert.Matches("^refused  alice: 0 of 2 left, try again in (1h|59m[0-9]*s?) \\(rule default\\)\n$", third.Output);
            Assert.Equal(1, never.ExitCode);
            Assert.Contains("the cost exceeds what the limit can ever give", never.Output);
            Assert.Equal(0, own.ExitCode);
            Assert.Contains(" 6 of 7 left", own.Output);
            Assert.Equal(2, bad.ExitCode);
            Assert.Contains("answers 400: ", bad.Errors);

            node.Terminate();
            Assert.Equal((0, ""), (await node.ExitAsync(), node.Errors));
        }
    }

    [Fact]
    public async Task Callers_WhoBreakOffOrNeverFinish_AreNoErrorsOfTheNode()
    {
        var (node, url) = await WeirProcess.ServeAsync("--shutdown-grace-ms", "500", "--drain-ms", "0");
        await using (node)
        {
            using var resets = await BeginAsync(url);
            using var ends = await BeginAsync(url);
            using var never = await BeginAsync(url);
            // What was sent before has arrived when this is answered.
            Assert.Equal(0, (await WeirProcess.RunAsync("health", "--url", url)).ExitCode);
            resets.LingerState = new LingerOption(true, 0);
            resets.Close();
            ends.Shutdown(SocketShutdown.Send);
            Assert.Equal(0, (await WeirProcess.RunAsync("health", "--url", url)).ExitCode);
            node.Terminate();
            Assert.Equal((0, ""), (await node.ExitAsync(), node.Errors));
            Assert.DoesNotContain(" error ", node.Output);
        }
    }

    [Fact]
    public async Task Node_WithJsonLogs_WritesNothingElse()
    {
        var (node, _) = await WeirProcess.ServeAsync("--log-format", "json");
        await using (node)
        {
            node.Terminate();
            await node.ExitAsync();

            var lines = node.Output.TrimEnd('\n').Split('\n');
            Assert.NotEmpty(lines);
            Assert.All(lines, line => Assert.Equal(JsonValueKind.String, JsonDocument.Parse(line).RootElement.GetProperty("message").ValueKind));
        }
    }

    [Fact]
    public async Task Serve_OnAPortInUse_SaysSoInOneLine()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;

        var (exitCode, output, errors) = await WeirProcess.RunAsync("serve", "--listen-address", "127.0.0.1", "--node-port", $"{port}");

        Assert.Equal(1, exitCode);
        Assert.Matches($"^weir: port {port} .* is in use\\. .*--node-port.*\n$", errors);
        Assert.DoesNotContain("   at ", output);
    }

    [Fact]
    public async Task Serve_WithRulesThatAreWrong_NamesThePlaceAndDoesNotStart()
    {
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():n}.yaml");
        await File.WriteAllTextAsync(path, "domain: api\ndescriptors: 7\n");
        try
        {
            var (exitCode, output, errors) = await WeirProcess.RunAsync("serve", "--node-port", "0", "--rules", path);

            Assert.Equal(1, exitCode);
            Assert.Contains($"{Path.GetFileName(path)}:2", errors);
            Assert.DoesNotContain("   at ", output + errors);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public async Task Version_IsPrinted() =>
        Assert.Equal((0, $"weir {BuildInfo.Version} (revision {BuildInfo.Revision})\n", ""), await WeirProcess.RunAsync("--version"));

    // A connection on which half a check was sent.
    private static async Task<Socket> BeginAsync(string url)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync("127.0.0.1", new Uri(url).Port);
        await socket.SendAsync("POST /check HTTP/1.1\r\nHost: node\r\nContent-Length: 16\r\n\r\n{\"key\":"u8.ToArray());
        return socket;
    }
}
