using System.Buffers;
using System.Diagnostics;
using Weir.Server.Metrics;

namespace Weir.Server.Tests.Metrics;

/// <summary>Has Prometheus' own linter read the page. Prometheus' tools are installed where the system's packages allow it.</summary>
public sealed class PromtoolTests
{
    [Fact]
    public async Task Metrics_PassPromtool()
    {
        await RequirePromtoolAsync();
        var metrics = new NodeMetrics(TimeProvider.System, () => 3);
        metrics.RecordCheck(Rule.Create(new RuleOptions { Name = "odd \"name\" \\ here", Domain = "ünïcode" }), allowed: false, metrics.Start());
        metrics.RecordReload(ok: true, version: 2);
        var page = new ArrayBufferWriter<byte>();
        metrics.Write(page);

        var (exitCode, output) = await RunAsync("promtool", ["check", "metrics"], page.WrittenMemory);

        Assert.True(exitCode == 0, output);
        Assert.Equal("", output.Trim());
    }

    [Fact]
    public async Task Promtool_RefusesAPageThatIsWrong()
    {
        await RequirePromtoolAsync();

        var (exitCode, _) = await RunAsync("promtool", ["check", "metrics"], "m{a=\"b} 1\n"u8.ToArray());

        Assert.NotEqual(0, exitCode);
    }

    private static async Task RequirePromtoolAsync()
    {
        if (await IsInstalledAsync())
            return;
        if (OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess)
            await TryRunAsync("apt-get", ["install", "-y", "-q", "prometheus"]);
        if (!await IsInstalledAsync())
            Assert.Skip("promtool is not on the PATH and could not be installed; install the package prometheus to run this test.");
    }

    private static async Task<bool> IsInstalledAsync() => await TryRunAsync("promtool", ["--version"]) == 0;

    private static async Task<int?> TryRunAsync(string program, string[] arguments)
    {
        try
        {
            return (await RunAsync(program, arguments, default)).ExitCode;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(string program, string[] arguments, ReadOnlyMemory<byte> input)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.StandardInput.BaseStream.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await errors);
    }
}
