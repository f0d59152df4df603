using System.Text;
using AgentApi.Data;

namespace AgentApi.Talking;

/// <summary>What the assistant said, and what it cost.</summary>
internal sealed record Reply(string Text, int PromptTokens, int CompletionTokens)
{
    public int TotalTokens => PromptTokens + CompletionTokens;
}

/// <summary>
/// Stands in for a language model: the same question in the same conversation always gets the same answer, and, as with a model, how long
/// the answer is and so what it costs is known only when it is there.
/// </summary>
internal static class Assistant
{
    private const int QuotedLetters = 200;

    /// <summary>Answers.</summary>
    /// <param name="question">What the user said.</param>
    /// <param name="memory">What was said before.</param>
    /// <param name="maxTokens">The answer ends at this many tokens.</param>
    public static Reply Answer(string question, Recollection memory, int maxTokens)
    {
        var text = new StringBuilder("You said: ").Append(question);
        if (memory is { MessageCount: > 0, First: { } first, Latest: { } latest })
        {
            text.Append($"\nI remember {memory.MessageCount} messages. You began with: {Quote(first)}");
            if (memory.MessageCount > 2)
                text.Append($"\nBefore this you said: {Quote(latest)}");
        }
        else
        {
            text.Append("\nThis is where our conversation begins.");
        }
        var answer = Tokens.Cut(text.ToString(), maxTokens);
        return new Reply(answer, Tokens.Count(question), Tokens.Count(answer));
    }

    private static string Quote(string text)
    {
        if (text.Length <= QuotedLetters)
            return text;
        // Never between the two halves of one letter.
        var end = char.IsHighSurrogate(text[QuotedLetters - 1]) ? QuotedLetters - 1 : QuotedLetters;
        return text[..end] + "…";
    }
}
