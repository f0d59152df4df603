using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using Weir.Resp;

namespace Weir.Redis;

/// <summary>What a reservation has charged, so that any node can settle it.</summary>
/// <param name="Charges">The charges, as decided.</param>
/// <param name="Stamps">Each charge's stamp.</param>
/// <param name="TtlMicros">How long it stays open without being renewed, in microseconds.</param>
public sealed record SharedReservation(Charge[] Charges, long[] Stamps, long TtlMicros);

/// <summary>
/// Open reservations of all nodes, each under a key that ends by itself. Whoever takes one out settles it, and nobody else can. A command that reaches
/// Redis after its caller has given up does nothing, so that a reservation is not taken by somebody who is told that it was not. Thread safe.
/// </summary>
public sealed class SharedReservations
{
    /// <summary>Most reservations open at once, over all nodes; kept in sixteen parts, each of which has its share.</summary>
    public const int Max = 100_000;

    private const int Parts = 16;
    private const int MaxRules = 10_000;

    private readonly SharedStore _store;
    private readonly string _mostOfPart = $"{Max / Parts}";
    private readonly ConcurrentDictionary<RuleText, Rule> _rules = new();

    /// <summary>Makes the book.</summary>
    /// <param name="state">What the nodes share besides.</param>
    public SharedReservations(SharedState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        _store = state.Store;
    }

    /// <summary>Keeps a reservation for its time.</summary>
    /// <returns>Its name: 32 hexadecimal digits; null when there are too many.</returns>
    /// <exception cref="SharedStateException">It was not kept, or nobody knows; its name is known to nobody.</exception>
    public async Task<string?> AddAsync(SharedReservation reservation)
    {
        ArgumentNullException.ThrowIfNull(reservation);
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        return await TryPutAsync(id, reservation) ? id : null;
    }

    /// <summary>Puts a reservation back that was taken out and could not be settled.</summary>
    /// <exception cref="SharedStateException">It could not be put back, or nobody knows.</exception>
    public async Task PutBackAsync(string id, SharedReservation reservation)
    {
        ArgumentNullException.ThrowIfNull(reservation);
        if (!await TryPutAsync(id, reservation))
            throw new SharedStateException($"Redis at {_store.Address}: Too many reservations are open.");
    }

    /// <summary>Takes a reservation out, to settle it.</summary>
    /// <returns>Null when it was settled, has ended or never was.</returns>
    /// <exception cref="SharedStateException">It was not taken, or nobody knows.</exception>
    public async Task<SharedReservation?> TakeAsync(string id)
    {
        if (!IsName(id))
            return null;
        var (ends, key, slot) = _store.Keys.Reservation(id);
        var reply = await _store.RunAsync(SharedScript.TakeReservation, slot, [ends, key], _store.Clock.DeadlineIn(SharedStore.Patience), id);
        return reply[0] == "late" ? throw TooLate() : Read(reply[0]);
    }

    /// <summary>Finds an open reservation.</summary>
    /// <returns>Null when it was settled, has ended or never was.</returns>
    /// <exception cref="SharedStateException">Redis did not answer.</exception>
    public async Task<SharedReservation?> FindAsync(string id)
    {
        if (!IsName(id))
            return null;
        var (_, key, slot) = _store.Keys.Reservation(id);
        return Read((await _store.SendAsync(slot, "GET", key))[0]);
    }

    /// <summary>Gives a reservation its whole time again, from now.</summary>
    /// <returns>False when it is not open any more.</returns>
    /// <exception cref="SharedStateException">Redis did not answer.</exception>
    public async Task<bool> ExtendAsync(string id, SharedReservation reservation)
    {
        ArgumentNullException.ThrowIfNull(reservation);
        var (ends, key, slot) = _store.Keys.Reservation(id);
        return (await _store.RunAsync(SharedScript.ExtendReservation, slot, [ends, key], Millis(reservation), id))[0] == "1";
    }

    private async Task<bool> TryPutAsync(string id, SharedReservation reservation)
    {
        var (ends, key, slot) = _store.Keys.Reservation(id);
        var deadline = _store.Clock.DeadlineIn(SharedStore.Patience);
        var reply = await _store.RunAsync(
            SharedScript.AddReservation, slot, [ends, key], deadline, _mostOfPart, Millis(reservation), id, Write(reservation));
        return reply[0] switch
        {
            "done" => true,
            "full" => false,
            _ => throw TooLate(),
        };
    }

    // Names come from callers; only what could have been given out is looked for.
    private static bool IsName(string id) => id.Length == 32 && id.All(char.IsAsciiHexDigitLower);

    private static string Millis(SharedReservation reservation) => (reservation.TtlMicros / 1_000).ToString(CultureInfo.InvariantCulture);

    private static string Write(SharedReservation reservation)
    {
        var rules = reservation.Charges.Select(static c => c.Rule).Distinct().ToArray();
        return new ReservationText
        {
            TtlMicros = reservation.TtlMicros,
            Rules = Array.ConvertAll(rules, RuleText.Of),
            Charges = [.. reservation.Charges.Select((c, i) =>
                new ChargeText(Array.IndexOf(rules, c.Rule), c.Id.ToString(), c.Cost, c.Label.ToArray(), reservation.Stamps[i]))],
        }.ToJson();
    }

    private SharedReservation? Read(string? json)
    {
        if (json is null || ReservationText.Read(json) is not { } text)
            return null;
        var charges = new Charge[text.Charges.Length];
        for (var i = 0; i < charges.Length; i++)
        {
            var charge = text.Charges[i];
            if (!CounterId.TryParse(charge.Id, out var id) || (uint)charge.Rule >= text.Rules.Length || RuleOf(text.Rules[charge.Rule]) is not { } rule)
                return null;
            charges[i] = new Charge(rule, id, charge.Cost, charge.Label);
        }
        return new SharedReservation(charges, Array.ConvertAll(text.Charges, static c => c.Stamp), text.TtlMicros);
    }

    // Engines know rules by their objects, so equal ones should be one.
    private Rule? RuleOf(RuleText text)
    {
        if (_rules.TryGetValue(text, out var known))
            return known;
        if (_rules.Count >= MaxRules)
            _rules.Clear();
        return text.ToRule() is { } rule ? _rules.GetOrAdd(text, rule) : null;
    }

    private SharedStateException TooLate() => new($"Redis at {_store.Address}: It was too late to do it, and it was not done. Try again.");
}
