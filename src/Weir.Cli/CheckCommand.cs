using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Weir.Cli;

/// <summary><c>weir check</c>: asks a running node for permits, as an application would.</summary>
internal sealed class CheckCommand : Command
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private readonly Argument<string> _key = new("key") { Description = "Whom or what to count: 1 to 512 bytes." };
    private readonly Option<long?> _cost = WholeNumber("--cost", RuleBounds.MaxCost, "Permits to take; 0 looks without taking. [default: 1]");
    private readonly Option<long?> _limit = WholeNumber("--limit", RuleBounds.MaxFixedWindowPermits, "Count against this limit instead of the node's rule.");
    private readonly Option<string?> _window = new("--window") { HelpName = "time", Description = "Window of --limit, such as 500ms, 10s or 1h30m." };
    private readonly Option<bool> _json = new("--json") { Description = "Print the node's answer as it is." };
    private readonly Option<string> _url = NodeUrl.Option();

    private CheckCommand()
        : base("check", "Take permits from a running node. Exits with 0 when allowed, 1 when refused, 2 when there is no answer.")
    {
        Add(_key);
        foreach (var option in new Option[] { _cost, _limit, _window, _json, _url })
            Add(option);
        _window.Validators.Add(CheckWindow);
        SetAction(RunAsync);
    }

    public static Command Create() => ExampleHelp.With(new CheckCommand(),
        ("weir check alice", "take one permit"),
        ("weir check alice --cost 0", "look without taking"),
        ("weir check alice --limit 5 --window 10s", "count against 5 per 10 seconds"),
        ("weir check alice --url http://node-2:8000 --json", "ask another node, print JSON"));

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellationToken)
    {
        var (output, errors) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        if (NodeUrl.Resolve(parsed.GetValue(_url), Environment.GetEnvironmentVariable) is not { } url)
            return Fail(errors, NodeUrl.Problem(parsed.GetValue(_url)));
        try
        {
            // The key travels in the body: in a path, "." and ".." and slashes would be changed on the way.
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(url, "/check")) { Content = Body(parsed) };
            var (status, body) = await NodeClient.SendAsync(request, Timeout, cancellationToken);
            if (status is not (200 or 429))
                return Fail(errors, $"{url.GetLeftPart(UriPartial.Authority)} answers {status}: {CheckAnswer.Problem(body)}");
            output.WriteLine(parsed.GetValue(_json) ? body.Trim() : CheckAnswer.Describe(body));
            return status == 200 ? ExitCode.Ok : ExitCode.No;
        }
        catch (Exception e) when (e is NodeUnreachableException or JsonException)
        {
            return Fail(errors, e is JsonException ? $"{url.GetLeftPart(UriPartial.Authority)} is not a Weir node. Name one with --url." : e.Message);
        }
    }

    private ByteArrayContent Body(ParseResult parsed)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("key", parsed.GetRequiredValue(_key));
            json.WriteNumber("cost", parsed.GetValue(_cost) ?? 1);
            if (parsed.GetValue(_limit) is { } limit)
                json.WriteNumber("limit", limit);
            if (parsed.GetValue(_window) is { } window && Durations.TryParse(window, out var micros))
                json.WriteNumber("window_ms", micros / 1_000);
            json.WriteEndObject();
        }
        return new ByteArrayContent(buffer.ToArray()) { Headers = { ContentType = new MediaTypeHeaderValue("application/json", Encoding.UTF8.WebName) } };
    }

    private static Option<long?> WholeNumber(string name, long most, string description) => new(name)
    {
        HelpName = "n",
        Description = description,
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= most)
                return number;
            result.AddError($"{name}: '{text}' must be a whole number from 0 to {most:N0}.");
            return null;
        },
    };

    private static void CheckWindow(OptionResult result)
    {
        var text = result.Tokens.Count > 0 ? result.Tokens[0].Value : "";
        if (!Durations.TryParse(text, out var micros) || micros < 1_000 || micros % 1_000 != 0)
            result.AddError($"--window: '{text}' must be a time of whole milliseconds, such as 500ms, 10s or 1h30m.");
    }

    private static int Fail(TextWriter errors, string reason)
    {
        errors.WriteLine($"weir check: {reason}");
        return ExitCode.Error;
    }
}
