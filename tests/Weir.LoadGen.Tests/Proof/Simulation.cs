using Weir.LoadGen.Proof;
using Weir.LoadGen.Sending;

namespace Weir.LoadGen.Tests.Proof;

/// <summary>
/// Requests against the true engine, on time that is made up: each is decided at an instant that only the simulation knows, and observed with the
/// uncertainty that a network has. The server's clock runs at a speed of its own.
/// </summary>
internal sealed class Simulation
{
    private const long Start = 1_800_000_000_123_456;

    private readonly Random _random;
    private readonly Rule _rule;

    public Simulation(int seed, RuleOptions options)
    {
        _random = new Random(seed);
        _rule = Rule.TryCreate(options, []) ?? throw new ArgumentException("The rule is wrong.", nameof(options));
    }

    /// <summary>Speed of the server's clock against ours.</summary>
    public double ClockSpeed { get; init; } = 1;

    /// <summary>Most milliseconds between sending and decision, and between decision and answer.</summary>
    public double DelayMs { get; init; } = 5;

    /// <summary>Share of answers that are lost.</summary>
    public double Lost { get; init; }

    /// <summary>Permits that each request takes.</summary>
    public int Cost { get; init; } = 1;

    /// <summary>Changes what the server decides and tells.</summary>
    public Func<Observation, Observation> Tamper { get; init; } = static o => o;

    /// <summary>Which engine decides a request; engines do not know of each other.</summary>
    public int Nodes { get; init; } = 1;

    /// <summary>When requests were admitted in truth, in seconds.</summary>
    public List<double> AdmittedAt { get; } = [];

    /// <summary>Runs it.</summary>
    /// <param name="requests">How many.</param>
    /// <param name="seconds">In what time.</param>
    public ProofLog Run(int requests, double seconds)
    {
        var engines = Enumerable.Range(0, Nodes).Select(static _ => new MemoryEngine()).ToArray();
        var log = new ProofLog(1);
        var instants = Enumerable.Range(0, requests).Select(_ => _random.NextDouble() * seconds).Order().ToArray();
        foreach (var (index, instant) in instants.Index())
        {
            var decision = engines[index % Nodes].Decide(new Charge(_rule, new CounterId(1, 1), Cost, default), Start + (long)(instant * ClockSpeed * 1e6));
            if (decision.IsAllowed)
                AdmittedAt.Add(instant);
            var observation = Observe(decision, instant, index % Nodes);
            log.Record(0, Tamper(observation));
        }
        foreach (var engine in engines)
            engine.Dispose();
        return log;
    }

    private Observation Observe(in Decision decision, double seconds, int node)
    {
        // Most answers are quick, some are slow.
        var delay = _random.Next(50) == 0 ? 20 * DelayMs : DelayMs;
        var sent = (long)((seconds * 1e9) - (_random.NextDouble() * delay * 1e6));
        if (_random.NextDouble() < Lost)
            return new Observation(sent, long.MaxValue, Told.Nothing, (ushort)node, Verdict.Unknown);
        var answered = (long)((seconds * 1e9) + (_random.NextDouble() * delay * 1e6));
        var retry = decision.IsAllowed ? Told.Unsaid : (int)((decision.RetryAfterMicros + 999_999) / 1_000_000);
        var told = new Told((int)_rule.Burst, (int)decision.Remaining, decision.Outcome == Outcome.Refused ? retry : Told.Unsaid);
        return new Observation(sent, answered, told, (ushort)node, decision.IsAllowed ? Verdict.Admitted : Verdict.Refused);
    }
}
