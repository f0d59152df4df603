using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;
using Weir.Server.Configuration;

namespace Weir.Server.Logging;

/// <summary>Sets up a node's log: standard output, one event per line.</summary>
internal static class NodeLogging
{
    private const int HostedServiceStartupFaulted = 11;

    /// <summary>Replaces all log providers by the console in the node's format and at the node's level.</summary>
    public static ILoggingBuilder AddNodeConsole(this ILoggingBuilder logging, NodeConfig config, TimeProvider time)
    {
        ConsoleFormatter formatter = config.LogFormat == LogFormat.Json ? new JsonFormatter(time) : new LineFormatter(time);
        logging.ClearProviders();
        logging.SetMinimumLevel(config.LogLevel);
        // The framework tells of every request at info; a node would be slowed down by its own log.
        if (config.LogLevel == LogLevel.Information)
            logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.Services.AddSingleton(formatter);
        logging.AddConsole(options =>
        {
            options.FormatterName = formatter.Name;
            // A reader of the log that falls behind must not stop decisions; the console says how many entries were lost.
            options.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite;
        });
        return logging;
    }

    /// <summary>
    /// True for the framework's own report of a failed start. The node says on standard error why it could not start and what to do; a
    /// stack trace before it would only hide that.
    /// </summary>
    public static bool IsStartFailure(string category, EventId eventId) =>
        eventId.Id == HostedServiceStartupFaulted && category == "Microsoft.Extensions.Hosting.Internal.Host";
}
