using System.Net;
using Microsoft.Extensions.Logging;
using Weir.Resp;

namespace Weir.Server.Configuration;

/// <summary>How a node runs: checked and immutable.</summary>
public sealed record NodeConfig
{
    internal NodeConfig()
    {
    }

    /// <summary>Name of this node.</summary>
    public required string NodeId { get; init; }

    /// <summary>Redis or Valkey to share counters through, or null to count in memory.</summary>
    public RespOptions? Redis { get; init; }

    /// <summary>What every key in Redis begins with.</summary>
    public string RedisPrefix { get; init; } = "weir";

    /// <summary>How long a decision may wait for Redis.</summary>
    public required TimeSpan DecisionTimeout { get; init; }

    /// <summary>How long a node that is not heard of stays in the list of nodes.</summary>
    public required TimeSpan NodeTtl { get; init; }

    /// <summary>Host name or address by which others reach this node.</summary>
    public required string Host { get; init; }

    /// <summary>Address to listen on.</summary>
    public required IPAddress Address { get; init; }

    /// <summary>Port to listen on; 0 for any that is free.</summary>
    public required int Port { get; init; }

    /// <summary>The rule of the simple API, where nothing else is configured.</summary>
    public required Rule DefaultRule { get; init; }

    /// <summary>File or folder of rules, or null.</summary>
    public string? RulesPath { get; init; }

    /// <summary>Token for management, or null when management is open.</summary>
    public string? AdminToken { get; init; }

    /// <summary>What a rule that does not say otherwise answers when the engine cannot decide.</summary>
    public required FailurePolicy FailurePolicy { get; init; }

    /// <summary>Least severe level that is logged.</summary>
    public required LogLevel LogLevel { get; init; }

    /// <summary>How log entries are written.</summary>
    public required LogFormat LogFormat { get; init; }

    /// <summary>Most counters the memory engine may hold: 1,000 to 100,000,000.</summary>
    public required int MaxCounters { get; init; }

    /// <summary>How long to wait, when stopping, for requests that were accepted.</summary>
    public required TimeSpan ShutdownGrace { get; init; }

    /// <summary>How long to go on serving, when stopping, with readiness off.</summary>
    public required TimeSpan Drain { get; init; }

    /// <summary>Things to log at start that are probably mistakes but do no harm.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Checks what the user said and makes the configuration, or adds every problem to <paramref name="problems"/>.</summary>
    /// <returns>Null when there was a problem.</returns>
    public static NodeConfig? TryCreate(NodeOptions options, ICollection<string> problems)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(problems);
        var before = problems.Count;
        var config = new NodeConfigReader(options, problems).Read();
        return problems.Count == before ? config : null;
    }

    /// <summary>Checks what the user said and makes the configuration.</summary>
    /// <exception cref="ArgumentException">There are problems; the message names every one with its cure, a line each.</exception>
    public static NodeConfig Create(NodeOptions options)
    {
        var problems = new List<string>();
        return TryCreate(options, problems) ?? throw new ArgumentException(string.Join(Environment.NewLine, problems), nameof(options));
    }

    // A record would print every property; a token must never reach a log by accident.
    private bool PrintMembers(System.Text.StringBuilder builder)
    {
        builder.Append("NodeId = ").Append(NodeId);
        return true;
    }
}
