using Weir.Server.Deciding;

namespace Weir.Server.Http;

/// <content><c>POST /check</c>: one request by key or descriptors, or many at once.</content>
internal sealed partial class CheckEndpoints
{
    private const int DecidedAtOnce = 128;

    // Checks whose answer is written in a moment: about a twentieth of a millisecond.
    private const int Few = 16;

    /// <summary>What a check came to.</summary>
    /// <param name="Binding">The decision that binds.</param>
    /// <param name="Charges">What was charged; one per limit that applied.</param>
    /// <param name="Each">Each charge's decision.</param>
    /// <param name="Places">The descriptor that each charge belongs to.</param>
    private readonly record struct Checked(Decision Binding, Charge[] Charges, Decision[] Each, int[] Places);

    private async Task CheckAsync(Exchange exchange)
    {
        var started = metrics.Start();
        var (one, many) = BodyReader.ReadOneOrMany(await exchange.ReadBodyAsync());
        if (many is not null)
        {
            await CheckManyAsync(exchange, many, started);
            return;
        }
        var result = await DecideAsync(one!);
        Record(result.Binding, started);
        await AnswerAsync(exchange, one!, result, null);
    }

    // All are resolved before the first is decided, so that a mistake in one leaves every counter as it was.
    private async Task CheckManyAsync(Exchange exchange, List<CheckRequest> requests, long started)
    {
        var resolved = new (Charge[] Charges, int[] Places)[requests.Count];
        for (var i = 0; i < resolved.Length; i++)
            resolved[i] = Resolve(requests[i], $"checks[{i}].");
        var results = new Checked[resolved.Length];
        var deciding = new ValueTask<Checked>[Math.Min(DecidedAtOnce, resolved.Length)];
        for (var from = 0; from < results.Length; from += deciding.Length)
        {
            // Asked one after the other before the first answer is awaited, so that an engine that is far away is asked for all of them together.
            var count = Math.Min(deciding.Length, results.Length - from);
#pragma warning disable CA2012 // Each is awaited once, below.
            for (var i = 0; i < count; i++)
                deciding[i] = DecideAsync(resolved[from + i].Charges, resolved[from + i].Places);
#pragma warning restore CA2012
            for (var i = 0; i < count; i++)
                results[from + i] = await deciding[i];
            // Who received the last answer has those of others to receive, and what follows takes long.
            if (results.Length > Few)
                await Task.Yield();
        }
        foreach (var result in results)
        {
            metrics.RecordCheck(result.Binding.Rule, result.Binding.IsAllowed);
            if (result.Binding.Source == DecisionSource.Degraded)
                metrics.RecordDegraded();
        }
        metrics.RecordDuration(started);
        await AnswerManyAsync(exchange, requests, results);
    }

    private (Charge[] Charges, int[] Places) Resolve(CheckRequest request, string prefix)
    {
        try
        {
            return Resolve(request);
        }
        catch (InputException e)
        {
            throw new InputException(prefix + e.Field, e.Message[(e.Field.Length + 2)..], e.Status);
        }
    }

    private (Charge[] Charges, int[] Places) Resolve(CheckRequest request)
    {
        if (request.Key is not { } key)
            return resolver.ForDescriptors(request);
        var cost = request.Cost ?? 1;
        if ((request.Limit ?? request.WindowMicros) is not null)
            return ([resolver.ForCall(key, request.Limit, request.WindowMicros, cost)], [0]);
        return resolver.TryForKey(key, cost, out var charge) ? ([charge], [0]) : ([], []);
    }

    private ValueTask<Checked> DecideAsync(CheckRequest request)
    {
        var (charges, places) = Resolve(request);
        return DecideAsync(charges, places);
    }

    private async ValueTask<Checked> DecideAsync(Charge[] charges, int[] places)
    {
        var each = new Decision[charges.Length];
        if (charges.Length == 0)
            return new Checked(Decision.Unlimited, charges, each, places);
        if (charges.Length == 1 && !charges[0].Rule.Shadow)
        {
            each[0] = await limiter.DecideAsync(charges[0]);
            return new Checked(each[0], charges, each, places);
        }
        var binding = await limiter.DecideAsync(charges, each);
        RecordShadows(charges, each);
        return new Checked(binding, charges, each, places);
    }

    // A shadow rule on its own never refuses, which the decision over several charges knows.
    private async ValueTask<Decision> DecideOneAsync(Charge charge) => (await DecideAsync([charge], [0])).Binding;

    private Task AnswerAsync(Exchange exchange, CheckRequest request, in Checked result, (string Id, long TtlMicros)? reservation)
    {
        LimitHeaders.Set(exchange.Response.Headers, result.Binding);
        var answer = Answer.Begin();
        WriteBody(answer, request, result, reservation, inBatch: false);
        return exchange.AnswerAsync(Answer.StatusOf(result.Binding), answer.Written);
    }

    private Task AnswerManyAsync(Exchange exchange, List<CheckRequest> requests, Checked[] results)
    {
        var answer = Answer.Begin();
        answer.Json.WriteStartObject();
        answer.Json.WriteStartArray("results"u8);
        for (var i = 0; i < results.Length; i++)
            WriteBody(answer, requests[i], results[i], null, inBatch: true);
        answer.Json.WriteEndArray();
        answer.Json.WriteEndObject();
        return exchange.AnswerAsync(200, answer.Written);
    }

    private void WriteBody(Answer answer, CheckRequest request, in Checked result, (string Id, long TtlMicros)? reservation, bool inBatch)
    {
        var binding = result.Binding;
        answer.Json.WriteStartObject();
        if (!binding.IsAllowed && !inBatch)
            answer.ProblemFields(binding, whyDegraded);
        else if (inBatch)
            answer.Json.WriteNumber("status"u8, Answer.StatusOf(binding));
        answer.Json.WriteBoolean("allowed"u8, binding.IsAllowed);
        if (request.Key is not null)
            answer.Json.WriteString("key"u8, request.Key);
        else
            answer.Json.WriteString("domain"u8, request.Domain);
        answer.DecisionFields(binding);
        answer.Source(binding.Source);
        // On its own, the headers say it.
        if (inBatch && binding.Rule is { } rule)
            answer.Json.WriteString("policy"u8, RuleFacts.Of(rule).Policy);
        if (binding.IsAllowed && result.Charges.Length > 0 && reservation is null)
            WriteReceipt(answer, result.Each);
        if (reservation is var (id, ttl))
        {
            answer.Json.WriteString("reservation"u8, id);
            answer.Json.WriteNumber("expires_ms"u8, ttl / 1000);
        }
        if (request.Key is null)
            WriteStatuses(answer, request.Descriptors.Count, result);
        answer.Json.WriteEndObject();
    }

    private static void WriteStatuses(Answer answer, int descriptors, in Checked result)
    {
        answer.Json.WriteStartArray("statuses"u8);
        for (var i = 0; i < descriptors; i++)
        {
            var charge = Array.IndexOf(result.Places, i);
            var decision = charge < 0 ? Decision.Unlimited : result.Each[charge];
            var shadow = charge >= 0 && result.Charges[charge].Rule.Shadow;
            answer.Json.WriteStartObject();
            answer.Json.WriteBoolean("allowed"u8, decision.IsAllowed || shadow);
            answer.DecisionFields(decision);
            if (shadow)
                answer.Json.WriteBoolean("would_refuse"u8, !decision.IsAllowed);
            answer.Json.WriteEndObject();
        }
        answer.Json.WriteEndArray();
    }
}
