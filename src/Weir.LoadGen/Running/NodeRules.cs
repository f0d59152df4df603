using System.Net.Http;
using System.Text.Json;
using System.Text.RegularExpressions;
using Weir.LoadGen.Proof;
using Weir.LoadGen.Sending;

namespace Weir.LoadGen.Running;

/// <summary>Asks a node which limits it has, so that they need not be written down twice.</summary>
internal static partial class NodeRules
{
    private const string Cure = "Name the promise instead, such as --expect '100/1m sliding-window'.";

    /// <summary>What the node promises for plain keys: its default rule, and limits that keys have of their own.</summary>
    /// <param name="target">The node.</param>
    /// <param name="sending">Headers and timeout of the question.</param>
    /// <param name="clockOffsetNanos">Goes into the result.</param>
    /// <param name="problems">Why there is no answer is told here.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task<Expectation?> AskAsync(Target target, SendOptions sending, long? clockOffsetNanos, ICollection<string> problems, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(sending.Timeout);
        using var client = new TargetClient(target, sending);
        using var question = sending.Shape.Create("", 0);
        (question.Method, question.Content, question.RequestUri) = (HttpMethod.Get, null, new Uri(target.Base + "/api/limits"));
        try
        {
            using var answer = await client.SendAsync(question, patience.Token);
            var body = await answer.Content.ReadAsStringAsync(patience.Token);
            if (answer.IsSuccessStatusCode)
                return Read(body, CostOf(sending.Shape.Path.Text), clockOffsetNanos, problems);
            problems.Add((int)answer.StatusCode is 401 or 403
                ? $"--expect rules: {target.Name} does not show its rules: status {(int)answer.StatusCode}. Give --header 'Authorization: Bearer TOKEN'. {Cure}"
                : $"--expect rules: {target.Name} does not show its rules: status {(int)answer.StatusCode}. {Cure}");
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            problems.Add($"--expect rules: {target.Name} does not answer: {Failures.NameOf(Failures.Of(e, wasSent: false, answerBegan: false))}. {Cure}");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException)
        {
            problems.Add($"--expect rules: {target.Name} does not answer as a Weir node does. {Cure}");
        }
        return null;
    }

    /// <summary>Reads the answer.</summary>
    internal static Expectation? Read(string json, long cost, long? clockOffsetNanos, ICollection<string> problems)
    {
        using var document = JsonDocument.Parse(json);
        var byDefault = document.RootElement.GetProperty("default");
        if (document.RootElement.GetProperty("rules").EnumerateArray().Any(static r => r.GetProperty("domain").GetString() == "default"))
            problems.Add($"--expect rules: the node has rules of domain 'default' that may apply to keys. {Cure}");
        if (byDefault.GetProperty("shadow").GetBoolean() || byDefault.GetProperty("unlimited").GetBoolean())
            problems.Add("--expect rules: the node's default rule limits nothing. Leave --expect out.");
        var promise = PromiseOf(byDefault, cost);
        if (!promise.IsProvable)
            problems.Add("--expect rules: the node's default rule is concurrency, which cannot be proved from outside: when a lease ends is not seen. Leave --expect out.");
        var ofKeys = document.RootElement.GetProperty("overrides").EnumerateArray().ToDictionary(static o => o.GetProperty("key").GetString()!, o => PromiseOf(o, cost), StringComparer.Ordinal);
        return new Expectation(promise, ofKeys, clockOffsetNanos);
    }

    private static Promise PromiseOf(JsonElement rule, long cost)
    {
        var algorithm = Promise.AlgorithmOf(rule.GetProperty("algorithm").GetString() ?? "") ?? throw new FormatException("The algorithm is unknown.");
        var (limit, windowMs, burst) = (rule.GetProperty("limit").GetInt64(), rule.GetProperty("window_ms").GetInt64(), rule.GetProperty("burst").GetInt64());
        if (limit < 0 || burst < 0 || windowMs is < 1 or > long.MaxValue / 1_000_000)
            throw new FormatException("The rule cannot be.");
        return new Promise(algorithm, limit, windowMs * 1_000_000, burst, cost);
    }

    // What the path asks for is what each request takes.
    private static long CostOf(string path) => Cost().Match(path) is { Success: true } match && long.TryParse(match.Groups["cost"].Value, out var cost) && cost > 0 ? cost : 1;

    [GeneratedRegex(@"[?&]cost=(?<cost>\d+)", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Cost();
}
