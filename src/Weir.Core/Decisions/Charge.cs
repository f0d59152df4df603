namespace Weir;

/// <summary>What one request asks of one counter.</summary>
/// <param name="Rule">The rule to decide by.</param>
/// <param name="Id">The counter.</param>
/// <param name="Cost">Permits to take: 0 (look) to <see cref="RuleBounds.MaxCost"/>.</param>
/// <param name="Label">
/// What to call the counter in listings, see <see cref="CounterLabel"/>. Must stay unchanged until the engine has answered; engines copy it when they make the counter.
/// </param>
public readonly record struct Charge(Rule Rule, CounterId Id, int Cost, ReadOnlyMemory<byte> Label);
