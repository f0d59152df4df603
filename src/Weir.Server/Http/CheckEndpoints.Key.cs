using System.Text;
using Weir.Server.Deciding;

namespace Weir.Server.Http;

/// <content><c>GET /rate-limit/{key}</c>: the hot path.</content>
internal sealed partial class CheckEndpoints
{
    /// <summary>Memory of one check: its key's label. Kept by a thread between checks; a check that waits for its engine takes it along.</summary>
    private sealed class Scratch
    {
        [ThreadStatic]
        private static Scratch? _kept;

        public byte[] Label { get; } = new byte[1 + RuleBounds.MaxKeyBytes];

        public static Scratch Take()
        {
            var scratch = _kept ?? new Scratch();
            _kept = null;
            return scratch;
        }

        public void Return() => _kept = this;
    }

    private Task CheckKeyAsync(Exchange exchange)
    {
        var started = metrics.Start();
        var scratch = Scratch.Take();
        int keyBytes, cost;
        try
        {
            // The label of a plain key is its bytes after a zero, so the key is decoded into its place.
            keyBytes = RawTarget.Parse(exchange.Request.RawTarget, scratch.Label.AsSpan(1), out cost);
        }
        catch (InputException e)
        {
            scratch.Return();
            return RejectAsync(exchange, e);
        }
        var key = scratch.Label.AsMemory(1, keyBytes);
        if (!resolver.KeysAreSimple)
            return FinishAsync(exchange, scratch, key, DecideMatchedAsync(Encoding.UTF8.GetString(key.Span), cost), started);
        var deciding = limiter.DecideAsync(resolver.ForDefault(scratch.Label.AsMemory(0, keyBytes + 1), cost));
        if (!deciding.IsCompletedSuccessfully)
            return FinishAsync(exchange, scratch, key, deciding, started);
        var answering = AnswerKeyAsync(exchange, key.Span, deciding.GetAwaiter().GetResult(), started);
        scratch.Return();
        return answering;
    }

    private async Task FinishAsync(Exchange exchange, Scratch scratch, ReadOnlyMemory<byte> key, ValueTask<Decision> deciding, long started)
    {
        try
        {
            var decision = await deciding;
            await AnswerKeyAsync(exchange, key.Span, decision, started);
        }
        finally
        {
            scratch.Return();
        }
    }

    private async ValueTask<Decision> DecideMatchedAsync(string key, int cost) =>
        resolver.TryForKey(key, cost, out var charge) ? await DecideOneAsync(charge) : Decision.Unlimited;

    private Task AnswerKeyAsync(Exchange exchange, ReadOnlySpan<byte> key, in Decision decision, long started)
    {
        Record(decision, started);
        LimitHeaders.Set(exchange.Response.Headers, decision);
        var answer = Answer.Begin();
        answer.Json.WriteStartObject();
        if (!decision.IsAllowed)
            answer.ProblemFields(decision, whyDegraded);
        answer.Json.WriteBoolean("allowed"u8, decision.IsAllowed);
        answer.Json.WriteString("key"u8, key);
        answer.DecisionFields(decision);
        answer.Source(decision.Source);
        if (decision.IsAllowed && decision.Rule is not null)
            WriteReceipt(answer, new ReadOnlySpan<Decision>(in decision));
        answer.Json.WriteEndObject();
        return exchange.AnswerAsync(Answer.StatusOf(decision), answer.Written);
    }

    // A charge that was not made is marked, so that a refund does not give back what another request took.
    private static void WriteReceipt(Answer answer, ReadOnlySpan<Decision> decisions)
    {
        Span<byte> text = stackalloc byte[MaxReceiptBytes];
        var length = 0;
        for (var i = 0; i < decisions.Length; i++)
        {
            if (i > 0)
                text[length++] = (byte)'.';
            if (!IsTaken(decisions[i]))
            {
                text[length++] = NotTaken;
                continue;
            }
            decisions[i].Stamp.TryFormat(text[length..], out var written);
            length += written;
        }
        answer.Json.WriteString("receipt"u8, text[..length]);
    }
}
