namespace AgentApi.Data;

/// <summary>A conversation without its messages.</summary>
internal sealed record Conversation(Guid Id, string User, string Title, int MessageCount, long Tokens, DateTime CreatedAt, DateTime UpdatedAt);

/// <summary>What the user or the assistant said.</summary>
internal sealed record Message(int Number, string Role, string Content, int Tokens, DateTime CreatedAt)
{
    public const string User = "user";
    public const string Assistant = "assistant";
}

/// <summary>What the assistant knows when it answers: how much was said before, and how it began.</summary>
internal readonly record struct Recollection(int MessageCount, string? First, string? Latest);
