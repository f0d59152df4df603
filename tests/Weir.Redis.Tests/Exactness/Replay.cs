using Weir.TestKit;

namespace Weir.Redis.Tests.Exactness;

/// <summary>
/// What several nodes were answered, brought into the server's order by the instants of their batches, and played again on reference models: everything has to come out
/// the same.
/// </summary>
internal sealed class Replay
{
    private readonly Lock _gate = new();
    private readonly List<Node> _nodes = [];

    /// <summary>What became of one operation, and how to do it again.</summary>
    private sealed record Done(long Now, int Node, Action<Play> Again);

    /// <summary>How many answers were witnessed.</summary>
    public int Count { get; private set; }

    /// <summary>How many of them were of requests that were put together.</summary>
    public int Combined { get; private set; }

    /// <summary>A witness for one shard of one node.</summary>
    public IBatchWitness NewWitness()
    {
        var node = new Node(this, _nodes.Count);
        _nodes.Add(node);
        return node;
    }

    /// <summary>Plays everything again, and throws at the first difference.</summary>
    public void Check()
    {
        // Batches of one node come in order. Those of different nodes at one instant would be in an unknown order, but the server takes longer than that for each.
        var all = _nodes.SelectMany(static n => n.Answers).OrderBy(static d => d.Now).ToList();
        foreach (var pair in all.Zip(all.Skip(1)))
            Assert.False(pair.First.Now == pair.Second.Now && pair.First.Node != pair.Second.Node, "two nodes' batches at one instant");
        var play = new Play();
        foreach (var done in all)
            done.Again(play);
    }

    /// <summary>The models of all counters.</summary>
    private sealed class Play
    {
        private readonly Dictionary<CounterId, CounterModel> _models = [];
        private readonly Dictionary<(CounterId, long), List<ModelCharge>> _taken = [];

        public void Decide(long now, in Charge charge, Decision[] decisions)
        {
            var model = ModelOf(charge);
            foreach (var decision in decisions)
            {
                Compare(now, charge, model.Decide(now, charge.Cost), decision);
                if (decision.IsAllowed && charge.Cost > 0)
                    Take(now, charge, decision);
            }
        }

        public void DecideTogether(long now, Charge[] charges, Decision[] decisions, bool refused)
        {
            var expected = RequestModel.Decide([.. charges.Select(c => new ModelAsk($"{c.Id}", ModelOf(c), c.Cost))], now);
            Assert.Equal(expected.Refused, refused);
            for (var i = 0; i < charges.Length; i++)
            {
                Compare(now, charges[i], expected.Decisions[i], decisions[i]);
                if (!refused && decisions[i].IsAllowed && charges[i].Cost > 0)
                    Take(now, charges[i], decisions[i]);
            }
        }

        public void Settle(long now, CorrectionOperation correction, long result)
        {
            // Of charges with one stamp any stands for all, but that each can be given back only once.
            var taken = _taken[(correction.Charge.Id, correction.Stamp!.Value)];
            var charge = taken[^1];
            taken.RemoveAt(taken.Count - 1);
            var given = ModelOf(correction.Charge).Settle(now, correction.Charge.Cost, charge, correction.Actual);
            Assert.Equal(given, result);
        }

        private void Take(long now, in Charge charge, in Decision decision)
        {
            var key = (charge.Id, decision.Stamp);
            if (!_taken.TryGetValue(key, out var taken))
                _taken[key] = taken = [];
            taken.Add(ModelOf(charge).Take(now, charge.Cost));
        }

        private CounterModel ModelOf(in Charge charge)
        {
            if (!_models.TryGetValue(charge.Id, out var model))
                _models[charge.Id] = model = CounterModel.Create(charge.Rule);
            return model;
        }

        private static void Compare(long now, in Charge charge, ModelDecision expected, in Decision decision)
        {
            var actual = new ModelDecision(decision.Outcome, decision.Remaining, decision.ResetMicros, decision.RetryAfterMicros);
            if (actual != expected)
                Assert.Fail($"at {now} for {charge.Cost} under {charge.Rule} the model says {expected} and the engine {actual}");
        }
    }

    private sealed class Node(Replay replay, int index) : IBatchWitness
    {
        public List<Done> Answers { get; } = [];

        public void Decided(long nowMicros, in Charge charge, ReadOnlySpan<Decision> decisions)
        {
            var (asked, told) = (charge, decisions.ToArray());
            Note(nowMicros, told.Length, play => play.Decide(nowMicros, asked, told));
        }

        public void DecidedTogether(long nowMicros, ReadOnlySpan<Charge> charges, ReadOnlySpan<Decision> decisions, bool refused)
        {
            var (asked, told) = (charges.ToArray(), decisions.ToArray());
            Note(nowMicros, 1, play => play.DecideTogether(nowMicros, asked, told, refused));
        }

        public void Corrected(long nowMicros, CorrectionOperation correction, long result) =>
            Note(nowMicros, 1, play => play.Settle(nowMicros, correction, result));

        // Two pumps of a node are answered on two threads.
        private void Note(long now, int answers, Action<Play> again)
        {
            lock (replay._gate)
            {
                Answers.Add(new Done(now, index, again));
                replay.Count += answers;
                replay.Combined += answers > 1 ? answers : 0;
            }
        }
    }
}
