using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;
using Weir.Server.Configuration;
using Weir.Server.Logging;
using Weir.TestKit;

namespace Weir.Server.Tests.Logging;

public sealed class NodeLoggingTests
{
    [Theory]
    [InlineData("line", LineFormatter.FormatterName)]
    [InlineData("json", JsonFormatter.FormatterName)]
    public void AddNodeConsole_UsesTheConfiguredFormat(string format, string name)
    {
        using var services = Services(format, "info");

        Assert.Equal(name, services.GetRequiredService<IOptions<ConsoleLoggerOptions>>().Value.FormatterName);
        Assert.Contains(services.GetServices<ConsoleFormatter>(), f => f.Name == name);
    }

    [Theory]
    [InlineData("info", LogLevel.Information, LogLevel.Warning)]
    [InlineData("debug", LogLevel.Debug, LogLevel.Debug)]
    [InlineData("error", LogLevel.Error, LogLevel.Error)]
    public void AddNodeConsole_LogsFromTheConfiguredLevel_AndTheFrameworkLess(string level, LogLevel own, LogLevel framework)
    {
        using var services = Services("line", level);
        var factory = services.GetRequiredService<ILoggerFactory>();

        Assert.Equal(own, LeastEnabled(factory.CreateLogger("Weir.Server.Node")));
        Assert.Equal(framework, LeastEnabled(factory.CreateLogger("Microsoft.AspNetCore.Hosting.Diagnostics")));
    }

    [Theory]
    [InlineData("Microsoft.Extensions.Hosting.Internal.Host", 11, true)]
    [InlineData("Microsoft.Extensions.Hosting.Internal.Host", 9, false)]
    [InlineData("Weir.Server.Node", 11, false)]
    public void IsStartFailure_IsTheFrameworksOwnReportOnly(string category, int eventId, bool expected) =>
        Assert.Equal(expected, NodeLogging.IsStartFailure(category, new EventId(eventId)));

    private static LogLevel LeastEnabled(ILogger logger) => Enum.GetValues<LogLevel>().First(logger.IsEnabled);

    private static ServiceProvider Services(string format, string level)
    {
        var options = NodeOptions.From([new("RATELIMITER_LOG_FORMAT", format), new("RATELIMITER_LOG_LEVEL", level)]);
        return new ServiceCollection()
            .AddLogging(logging => logging.AddNodeConsole(NodeConfig.Create(options), new ManualTimeProvider()))
            .BuildServiceProvider();
    }
}
