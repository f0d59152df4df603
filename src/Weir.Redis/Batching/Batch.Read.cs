namespace Weir.Redis;

/// <content>The reply to a batch.</content>
internal sealed partial class Batch
{
    /// <summary>Answers everything in the batch and makes it empty. Callers go on with <see cref="LetCallersGoOn"/>.</summary>
    /// <param name="reader">Stands behind the reply's header.</param>
    /// <param name="header">The header.</param>
    /// <param name="sentAt">The timestamp at which the batch was sent.</param>
    /// <exception cref="InvalidDataException">The reply does not fit the batch. What was not answered yet is still in it.</exception>
    public void Complete(ref AnswerReader reader, in ReplyHeader header, long sentAt)
    {
        CompleteAll(ref reader, header, sentAt);
        if (reader.Left != 0)
            throw new InvalidDataException($"The script's reply has {reader.Left} bytes too many.");
        Clear();
    }

    private Callers? _callers;

    /// <summary>Lets those callers go on who were answered and have not gone on yet. After each exchange, when the batch has nothing left to do.</summary>
    public void LetCallersGoOn() => Callers.Go(ref _callers);

    /// <summary>Is told what became of everything; null but in tests.</summary>
    public IBatchWitness? Witness { get; set; }

    private void CompleteAll(ref AnswerReader reader, in ReplyHeader header, long sentAt)
    {
        for (var i = 0; i < _count; i++)
        {
            ref var entry = ref _entries[i];
            switch (entry.Kind)
            {
                case OperationKind.Decide:
                    CompleteCharges(ref entry, CounterAnswer.Read(ref reader, _rules[entry.Rule].Rule, header.NowMicros), header, sentAt);
                    break;
                case OperationKind.Group:
                    CompleteGroup(i, ref reader, header);
                    i += entry.Count;
                    break;
                case OperationKind.Settle or OperationKind.Renew:
                    var correction = (CorrectionOperation)entry.First!;
                    var result = reader.Number();
                    _memory.Correct(correction.Charge, entry.Kind == OperationKind.Settle ? result : 0, header.NowMicros);
                    Witness?.Corrected(header.NowMicros, correction, result);
                    // Once answered it belongs to its caller.
                    entry.First = null;
                    correction.Answer(result);
                    break;
            }
        }
    }

    private void CompleteCharges(ref Entry entry, in CounterAnswer answer, in ReplyHeader header, long sentAt)
    {
        var last = default(Decision);
        TellWitness(entry, answer, header);
        for (var index = 0; index < entry.Count; index++)
        {
            var operation = (ChargeOperation)entry.First!;
            last = answer.Decide(index, entry.Cost);
            if (index == 0)
                _memory.Name(operation.Charge, header.NowMicros);
            // Once answered it belongs to its caller.
            entry.First = operation.Next;
            operation.Next = null;
            operation.Prepare(last);
            Callers.Add(ref _callers, operation, StaysInPlace);
        }
        _memory.Remember(entry.Id, _rules[entry.Rule].Rule, entry.Cost, answer, last, header, sentAt);
    }

    private void TellWitness(in Entry entry, in CounterAnswer answer, in ReplyHeader header)
    {
        if (Witness is null)
            return;
        var decisions = new Decision[entry.Count];
        for (var index = 0; index < entry.Count; index++)
            decisions[index] = answer.Decide(index, entry.Cost);
        Witness.Decided(header.NowMicros, ((ChargeOperation)entry.First!).Charge, decisions);
    }

    private void CompleteGroup(int at, ref AnswerReader reader, in ReplyHeader header)
    {
        var operation = (GroupOperation)_entries[at].First!;
        var charges = operation.Charges.Span;
        var decisions = operation.Decisions.Span;
        var refused = reader.Byte() == 1;
        for (var i = 0; i < charges.Length; i++)
        {
            var answer = CounterAnswer.Read(ref reader, charges[i].Rule, header.NowMicros);
            _memory.Name(charges[i], header.NowMicros);
            if (!refused)
            {
                decisions[i] = answer.Decide(0, charges[i].Cost);
                _memory.Remember(charges[i].Id, charges[i].Rule, answer, charges[i].Cost, header);
            }
            else if (answer.Granted > 0)
            {
                // Nothing was charged, so what the allowing limits would have left is not what they have left.
                decisions[i] = answer.Look() with { Outcome = Outcome.Allowed, RetryAfterMicros = 0 };
            }
            else
            {
                // A counter named several times refuses for all that the request asks of it, not for what one charge leaves to the next.
                decisions[i] = answer.Decide(0, CostOf(charges, charges[i].Id));
            }
        }
        _entries[at].First = null;
        Witness?.DecidedTogether(header.NowMicros, charges, decisions, refused);
        operation.Prepare(refused);
        Callers.Add(ref _callers, operation, StaysInPlace);
    }

    private static int CostOf(ReadOnlySpan<Charge> charges, CounterId id)
    {
        var cost = 0;
        foreach (ref readonly var charge in charges)
            cost += charge.Id == id ? charge.Cost : 0;
        return cost;
    }
}
