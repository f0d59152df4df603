using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Weir.Redis;
using Weir.Server.Deciding;
using Weir.Server.Http;
using Weir.Server.Rules;

namespace Weir.Server.Management;

/// <content>Limits, overrides and rules.</content>
internal sealed partial class ManagementEndpoints
{
    private IResult Limits() => ManagementResults.Ok(new
    {
        Default = RuleView.Of(resolver.DefaultRule),
        Rules = rules.Current.RuleSet.Rules.Select(RuleView.Of),
        Overrides = resolver.Overrides.All.Select(o => OverrideView.Of(o.Key, o.Value)),
    });

    private async Task<IResult> SetLimitAsync(HttpContext context)
    {
        var key = KeyOf(context);
        var rule = OverrideRule(BodyReader.ReadOverride(await new Exchange(context.Features).ReadBodyAsync()));
        // A caller that goes away does not take the change back, and waiting ends soon.
        var spread = await engine.Overrides.ChangeAsync(key, rule, CancellationToken.None);
        return spread.Outcome switch
        {
            OverrideOutcome.Done => ManagementResults.Ok(spread.Nodes == 0
                ? OverrideView.Of(key, rule)
                : OverrideView.Of(key, rule) with { Nodes = spread.Nodes, Applied = spread.Applied }),
            OverrideOutcome.Behind => throw Behind(),
            _ => throw new InputException("key", $"{IOverrideStore.Max:N0} keys have limits of their own already. Lift some, or write a rule that matches many keys.", 409),
        };
    }

    private async Task<IResult> LiftLimitAsync(HttpContext context)
    {
        var key = KeyOf(context);
        var spread = await engine.Overrides.ChangeAsync(key, null, CancellationToken.None);
        return spread.Outcome switch
        {
            OverrideOutcome.Done => spread.Nodes == 0 ? Results.NoContent() : ManagementResults.Ok(new { Key = key, spread.Nodes, spread.Applied }),
            OverrideOutcome.Behind => throw Behind(),
            _ => throw new InputException("key", $"'{key}' has no limit of its own.", 404),
        };
    }

    private static InputException Behind() =>
        new("engine", "Redis has lost limits, and the nodes are putting them back. Nothing was changed. Try again in a second.", 503);

    // The override keeps the default rule's path and with it the key's counter: what was used stays used.
    private Rule OverrideRule(OverrideRequest wanted)
    {
        var options = resolver.DefaultRule.ToOptions();
        var algorithm = options.Algorithm;
        if (wanted.Algorithm is { } name && !AlgorithmNames.TryParse(name, out algorithm))
            throw new InputException("algorithm", $"'{name}' is not one. Known: {string.Join(", ", AlgorithmNames.All)}.");
        var problems = new List<string>();
        return Rule.TryCreate(options with
        {
            Algorithm = algorithm,
            Permits = wanted.Limit,
            Window = wanted.WindowMs is { } ms ? TimeSpan.FromMilliseconds(ms) : options.Window,
            Burst = wanted.Burst,
        }, problems) ?? throw RuleProblems.ToInput(problems);
    }

    // The router's values keep %2F and broken UTF-8 as they are, so the key is decoded from the target as it was sent.
    private static string KeyOf(HttpContext context)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.AsSpan();
        var question = target.IndexOf('?');
        var path = question < 0 ? target : target[..question];
        var key = new byte[RuleBounds.MaxKeyBytes];
        return Encoding.UTF8.GetString(key, 0, RawTarget.DecodeKey(path[(path.LastIndexOf('/') + 1)..], key));
    }

    private IResult Rules()
    {
        var current = rules.Current;
        return ManagementResults.Ok(new
        {
            current.Version,
            current.Source,
            LoadedAt = current.LoadedAt.UtcDateTime,
            Rules = current.RuleSet.Rules.Select(RuleView.Of),
            Files = current.Files.Select(f => new FileView(f.Path, f.Text)),
            LastError = rules.LastError is { } failure ? string.Join('\n', failure.Problems) : null,
            current.Warnings,
        });
    }

    private async Task<IResult> ReplaceRulesAsync(HttpContext context)
    {
        var text = await ReadTextAsync(context);
        var problems = rules.Replace(text);
        return problems.Count == 0
            ? ManagementResults.Ok(new { rules.Current.Version, Rules = rules.Current.RuleSet.Rules.Count })
            : ManagementResults.Problems("The rules have problems; the old ones stay in force.", problems);
    }

    private static async Task<IResult> ValidateRulesAsync(HttpContext context)
    {
        var parsed = RulesStore.Check(await ReadTextAsync(context));
        return parsed.Problems.Count == 0
            ? ManagementResults.Ok(new { Valid = true, Rules = parsed.RuleSet!.Rules.Count, parsed.Warnings })
            : ManagementResults.Ok(new { Valid = false, parsed.Problems });
    }

    private async Task<IResult> ExplainAsync(HttpContext context)
    {
        var asked = BodyReader.ReadExplain(await new Exchange(context.Features).ReadBodyAsync());
        var descriptor = new Descriptor(asked.Entries ?? [new DescriptorEntry(RuleSet.SimpleKey, asked.Key!)]);
        var explanation = rules.Current.RuleSet.Explain(asked.Domain, descriptor);
        var steps = explanation.Steps.SelectMany(static s => s.Notes.Prepend(s.Title)).ToList();
        var rule = explanation.Rule;
        if (asked.Key is { } key)
            rule = ExplainKey(key, explanation.Kind, rule, steps);
        return ManagementResults.Ok(new { Matched = rule is not null, Rule = rule is null ? null : RuleView.Of(rule), Steps = steps });
    }

    private Rule? ExplainKey(string key, MatchKind kind, Rule? matched, List<string> steps)
    {
        if (resolver.Overrides.Find(key) is { } own)
        {
            steps.Insert(0, $"The key '{key}' has a limit of its own, set through /api/limits; it wins.");
            return own;
        }
        if (kind is MatchKind.Matched or MatchKind.Whitelisted)
            return matched;
        steps.Add("No rule matches the key, so the default rule applies.");
        return resolver.DefaultRule;
    }

    private static async Task<string> ReadTextAsync(HttpContext context)
    {
        var body = await new Exchange(context.Features).ReadBodyAsync();
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(body);
        }
        catch (DecoderFallbackException)
        {
            throw new InputException("body", "is not valid UTF-8. Send YAML text in UTF-8.");
        }
    }
}
