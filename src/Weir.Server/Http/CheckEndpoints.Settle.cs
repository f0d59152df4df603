using System.Globalization;
using Weir.Redis;
using Weir.Server.Deciding;

namespace Weir.Server.Http;

/// <content>Costs that are known only afterwards: reserve, commit, renew and refund.</content>
internal sealed partial class CheckEndpoints
{
    private const long DefaultTtlMicros = 60_000_000;
    private const byte NotTaken = (byte)'-';

    /// <summary>Longest receipt: a number of 20 characters and a point for every charge.</summary>
    internal const int MaxReceiptBytes = ILimiter.MaxCharges * 21;

    private async Task ReserveAsync(Exchange exchange)
    {
        var started = metrics.Start();
        var request = BodyReader.ReadOne(await exchange.ReadBodyAsync(), CheckFields.Ttl | CheckFields.Final);
        if (request.Cost is null && request.Descriptors.All(static d => d.Descriptor.Cost is null))
            throw new InputException("cost", "is missing. Give the most that the request may cost.");
        if (!reservations.HasRoom())
            throw TooMany();
        var result = await DecideAsync(request);
        Record(result.Binding, started);
        if (!result.Binding.IsAllowed)
        {
            await AnswerAsync(exchange, request, result, null);
            return;
        }
        var taken = Enumerable.Range(0, result.Each.Length).Where(i => IsTaken(result.Each[i]) && IsOpen(request, result, i)).ToArray();
        var reservation = new Reservation([.. taken.Select(i => result.Charges[i])], [.. taken.Select(i => result.Each[i].Stamp)],
            request.TtlMillis * 1000 ?? DefaultTtlMicros);
        await AnswerAsync(exchange, request, result, (await KeepAsync(reservation), reservation.HeldMicros));
    }

    // What is charged for a reservation that cannot be kept is given back as far as that is possible: its caller will ask again, or not at all.
    private async ValueTask<string> KeepAsync(Reservation reservation)
    {
        try
        {
            if (await reservations.AddAsync(reservation) is { } id)
                return id;
        }
        catch (SharedStateException e)
        {
            await GiveBackAsync(reservation);
            throw new InputException("reservation", $"cannot be kept, and nothing is reserved. {e.Message}", 503);
        }
        await GiveBackAsync(reservation);
        throw TooMany();
    }

    private async ValueTask GiveBackAsync(Reservation reservation)
    {
        for (var i = 0; i < reservation.Charges.Length; i++)
        {
            try
            {
                await limiter.SettleAsync(reservation.Charges[i], reservation.Stamps[i], 0);
            }
            catch (EngineUnavailableException)
            {
                // It stays charged, until time gives it back.
            }
        }
    }

    // Shadow and quota rules that refused have charged nothing, and neither has a failure policy that allowed: there is nothing of theirs to settle.
    private static bool IsTaken(in Decision decision) => decision.IsAllowed && decision.Source != DecisionSource.Degraded;

    // A final cost is charged and no more looked at; a lease is there to be ended.
    private static bool IsOpen(CheckRequest request, in Checked result, int charge) => result.Charges[charge].Rule.Algorithm == AlgorithmKind.Concurrency
        || request.Descriptors.Count == 0 || !request.Descriptors[result.Places[charge]].IsFinal;

    private async Task CommitAsync(Exchange exchange)
    {
        var (id, actual) = BodyReader.ReadSettlement(await exchange.ReadBodyAsync(), needsActual: true);
        var reservation = await reservations.TakeAsync(id) ?? throw NoReservation(id);
        long refunded = 0, overcharged = 0;
        for (var i = 0; i < reservation.Charges.Length; i++)
        {
            var charge = reservation.Charges[i];
            // A lease is held for the length of the work, whatever the work cost, and its end is the commit.
            var isLease = charge.Rule.Algorithm == AlgorithmKind.Concurrency;
            if (!isLease && actual is null)
                continue;
            try
            {
                var settled = await limiter.SettleAsync(charge, reservation.Stamps[i], isLease ? 0 : actual!.Value);
                refunded = Math.Max(refunded, settled);
                overcharged = Math.Max(overcharged, -settled);
            }
            catch (EngineUnavailableException e)
            {
                await PutBackAsync(id, reservation, e.Reason == DegradedReason.Timeout ? i + 1 : i);
                throw;
            }
        }
        var answer = Answer.Begin();
        answer.Json.WriteStartObject();
        answer.Json.WriteBoolean("committed"u8, true);
        var reserved = reservation.Charges.Length == 0 ? 0 : reservation.Charges.Max(static c => c.Cost);
        answer.Json.WriteNumber("reserved"u8, reserved);
        answer.Json.WriteNumber("actual"u8, actual ?? reserved);
        answer.Json.WriteNumber("refunded"u8, refunded);
        answer.Json.WriteNumber("overcharged"u8, overcharged);
        answer.Json.WriteEndObject();
        await exchange.AnswerAsync(200, answer.Written);
    }

    // What was settled, or may have been, must not be settled again; the rest can be committed later.
    private async ValueTask PutBackAsync(string id, Reservation reservation, int from)
    {
        if (from < reservation.Charges.Length)
            await reservations.PutBackAsync(id, reservation with { Charges = reservation.Charges[from..], Stamps = reservation.Stamps[from..] });
    }

    private async Task RenewAsync(Exchange exchange)
    {
        var (id, _) = BodyReader.ReadSettlement(await exchange.ReadBodyAsync(), needsActual: false);
        var reservation = await reservations.FindAsync(id) ?? throw NoReservation(id);
        for (var i = 0; i < reservation.Charges.Length; i++)
        {
            var charge = reservation.Charges[i];
            if (charge.Rule.Algorithm == AlgorithmKind.Concurrency && !await limiter.RenewAsync(charge, reservation.Stamps[i]))
                throw NoReservation(id);
        }
        if (!await reservations.ExtendAsync(id, reservation))
            throw NoReservation(id);
        var answer = Answer.Begin();
        answer.Json.WriteStartObject();
        answer.Json.WriteBoolean("renewed"u8, true);
        answer.Json.WriteNumber("expires_ms"u8, reservation.HeldMicros / 1000);
        answer.Json.WriteEndObject();
        await exchange.AnswerAsync(200, answer.Written);
    }

    private async Task RefundAsync(Exchange exchange)
    {
        var request = BodyReader.ReadOne(await exchange.ReadBodyAsync(), CheckFields.Receipt);
        if (request.Cost == 0)
            throw new InputException("cost", "0 gives nothing back. Give 1 or more.");
        var (charges, _) = Resolve(request);
        var stamps = ReadReceipt(request.Receipt, charges.Length);
        long refunded = 0;
        for (var i = 0; i < charges.Length; i++)
        {
            if (stamps is null || stamps[i] is not null)
                refunded = Math.Max(refunded, await limiter.SettleAsync(charges[i], stamps?[i], 0));
        }
        var answer = Answer.Begin();
        answer.Json.WriteStartObject();
        answer.Json.WriteNumber("refunded"u8, refunded);
        answer.Json.WriteEndObject();
        await exchange.AnswerAsync(200, answer.Written);
    }

    // The stamps of a receipt, null where nothing was taken.
    private static long?[]? ReadReceipt(string? receipt, int charges)
    {
        if (receipt is null)
            return null;
        var parts = receipt.Split('.');
        var stamps = new long?[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            if (parts[i] is [(char)NotTaken])
                continue;
            stamps[i] = long.TryParse(parts[i], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var stamp)
                ? stamp
                : throw new InputException("receipt", $"'{receipt}' is not one. Give the receipt of the answer, unchanged.");
        }
        return stamps.Length == charges
            ? stamps
            : throw new InputException("receipt", $"is for {stamps.Length} limits and the request has {charges}. Give the same key or descriptors that the receipt is for.");
    }

    private static InputException NoReservation(string id) =>
        new("reservation", $"'{id}' is not open: it was committed, has ended, or never was. What it reserved stays charged.", 404);

    private static InputException TooMany() =>
        new("reservation", $"{IReservationBook.Max:N0} reservations are open already. Commit some, or give them a shorter ttl_ms.", 503);
}
