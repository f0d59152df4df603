namespace Weir.LoadGen.Proof;

/// <summary>An interval of time that includes both ends, in nanoseconds of the run's clock: what happened somewhere in it cannot be known better.</summary>
internal readonly record struct Bracket(long From, long To);
