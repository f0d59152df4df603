using FsCheck;
using FsCheck.Fluent;
using Weir.TestKit;

namespace Weir.Core.Tests;

/// <summary>
/// FsCheck as the suites use it: random traces of steps that are cut down when they fail. A failure prints the seed; to play it again, set
/// <c>WEIR_REPLAY</c> to the two numbers of the seed, as in <c>WEIR_REPLAY=12345,678</c>.
/// </summary>
public static class Properties
{
    /// <summary>A trace and the seed of the rules that it is played on.</summary>
    public sealed record Trace(int Seed, Step[] Steps)
    {
        public override string ToString() => $"rules {Seed}: {string.Join(' ', Steps)}";
    }

    /// <summary>Checks a property of random traces made of the given kinds of steps, each as often as it is named.</summary>
    public static void Holds(int traces, int longest, StepKind[] kinds, Action<Trace> check)
    {
        var step = Gen.Choose(0, kinds.Length - 1)
            .SelectMany(_ => Gen.Choose(0, 1_000_000), (kind, a) => (kind, a))
            .SelectMany(_ => Gen.Choose(0, 1_000_000), (x, b) => new Step(kinds[x.kind], x.a, b));
        var trace = Gen.Choose(0, int.MaxValue - 1)
            .SelectMany(_ => Gen.Choose(1, longest), (seed, length) => (seed, length))
            .SelectMany(x => Gen.ArrayOf(step, x.length), (x, steps) => new Trace(x.seed, steps));
        Holds(traces, Arb.From(trace, Shorter), check);
    }

    /// <summary>Checks a property of random values.</summary>
    public static void Holds<T>(int values, Arbitrary<T> arbitrary, Action<T> check)
    {
        var config = Config.QuickThrowOnFailure.WithMaxTest(values).WithQuietOnSuccess(true);
        if (Environment.GetEnvironmentVariable("WEIR_REPLAY")?.Split(',') is [var seed, var gamma])
            config = config.WithReplay(ulong.Parse(seed), ulong.Parse(gamma));
        Prop.ForAll(arbitrary, check).Check(config);
    }

    // Without a half, an eighth, or one step.
    private static IEnumerable<Trace> Shorter(Trace trace)
    {
        var steps = trace.Steps;
        for (var part = steps.Length / 2; part >= 1; part /= 4)
        {
            for (var from = steps.Length - part; from >= 0; from -= part)
                yield return trace with { Steps = [.. steps[..from], .. steps[(from + part)..]] };
        }
        if (steps.Length <= 1)
            yield break;
        for (var i = steps.Length - 1; i >= 0; i--)
            yield return trace with { Steps = [.. steps[..i], .. steps[(i + 1)..]] };
    }
}
