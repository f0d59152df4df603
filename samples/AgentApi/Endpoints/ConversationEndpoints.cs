using AgentApi.Cache;
using AgentApi.Data;
using AgentApi.Http;
using AgentApi.Limiting;
using AgentApi.Talking;
using Weir.AspNetCore;
using Weir.Resp;

namespace AgentApi.Endpoints;

/// <summary>Talking to the assistant. All of it needs an API key, and shows nobody what is another's.</summary>
internal sealed class ConversationEndpoints(ConversationStore store, SessionStore sessions, Answers answers, ILogger<ConversationEndpoints> log)
{
    private const int MaxTitle = 200;
    private const int MaxContent = 8_000;

    public void Map(WebApplication app)
    {
        app.MapPost("/conversations", BeginAsync);
        app.MapGet("/conversations", ListAsync);
        app.MapGet("/conversations/{id:guid}", ShowAsync);
        app.MapPost("/conversations/{id:guid}/messages", TalkAsync).RequireLimit(Limits.Tokens);
        app.MapGet("/session", SessionAsync);
    }

    private async Task BeginAsync(HttpContext context)
    {
        var user = Caller.Require(context);
        var body = await BodyReader.ReadAsync<NewConversation>(context);
        var title = BodyReader.Text("title", body.Title ?? "", 0, MaxTitle);
        var conversation = await store.BeginAsync(Guid.CreateVersion7(), user, title, context.RequestAborted)
            ?? throw new InputException(Caller.Header, $"the user '{user}' is not in the database any more.", StatusCodes.Status403Forbidden);
        await RememberAsync(user, conversation.Id, 0, context.RequestAborted);
        context.Response.Headers.Location = $"/conversations/{conversation.Id}";
        await answers.SendAsync(context, new ConversationAnswer(conversation, null, null), StatusCodes.Status201Created);
    }

    private async Task ListAsync(HttpContext context) =>
        await answers.SendAsync(context, new ListAnswer(await store.ListAsync(Caller.Require(context), context.RequestAborted)));

    private async Task ShowAsync(HttpContext context)
    {
        var user = Caller.Require(context);
        var after = Query.Integer(context, "after", 0, 0, int.MaxValue);
        var most = Query.Integer(context, "limit", ConversationStore.MaxPage, 1, ConversationStore.MaxPage);
        var conversation = await store.FindAsync(IdOf(context), user, context.RequestAborted) ?? throw NotFound();
        var messages = await store.ReadMessagesAsync(conversation.Id, after, most, context.RequestAborted);
        int? next = messages.Count > 0 && messages[^1].Number < conversation.MessageCount ? messages[^1].Number : null;
        await answers.SendAsync(context, new ConversationAnswer(conversation, messages, next));
    }

    private async Task TalkAsync(HttpContext context)
    {
        // What was reserved is given back whatever goes wrong from here on.
        context.SetLimitCost(0);
        var user = Caller.Require(context);
        var maxTokens = TokenCost.MaxAnswerOf(context);
        var body = await BodyReader.ReadAsync<NewMessage>(context);
        var question = BodyReader.Text("content", body.Content, 1, MaxContent);
        var id = IdOf(context);
        var memory = await store.RecallAsync(id, user, context.RequestAborted) ?? throw NotFound();
        var reply = Assistant.Answer(question, memory, maxTokens);
        // From here on it is done whether or not the client still waits.
        var number = await store.AppendAsync(id, (question, reply.PromptTokens), (reply.Text, reply.CompletionTokens), CancellationToken.None)
            ?? throw new InputException("conversation", $"it is full with {ConversationStore.MaxMessages} messages. Begin another.", StatusCodes.Status409Conflict);
        context.SetLimitCost(reply.TotalTokens);
        await RememberAsync(user, id, 1, CancellationToken.None);
        await answers.SendAsync(context, new TalkAnswer(id, number, Message.Assistant, reply.Text, new Usage(reply.PromptTokens, reply.CompletionTokens, reply.TotalTokens)),
            StatusCodes.Status201Created);
    }

    private async Task SessionAsync(HttpContext context)
    {
        var session = await sessions.FindAsync(Caller.Require(context), context.RequestAborted) ?? throw new InputException("session", "there is none; say something first.", 404);
        await answers.SendAsync(context, new SessionAnswer(session));
    }

    // What was said is safe in the database; where we were is a convenience, and not worth failing a request.
    private async Task RememberAsync(string user, Guid conversation, int messages, CancellationToken cancellation)
    {
        try
        {
            await sessions.TouchAsync(user, conversation, messages, cancellation);
        }
        catch (Exception e) when (e is CacheUnavailableException or RespServerException)
        {
            log.LogWarning("session of {User} not noted: {Reason}", user, e.Message);
        }
    }

    private static Guid IdOf(HttpContext context) => Guid.Parse((string)context.GetRouteValue("id")!);

    private static InputException NotFound() => new("conversation", "you have none of that identifier. GET /conversations lists yours.", StatusCodes.Status404NotFound);

    private sealed record NewConversation
    {
        public string? Title { get; init; }
    }

    private sealed record NewMessage
    {
        public string? Content { get; init; }
    }

    private sealed record ConversationAnswer(Conversation Conversation, List<Message>? Messages, int? NextAfter) : Answer;

    private sealed record ListAnswer(List<Conversation> Conversations) : Answer;

    private sealed record TalkAnswer(Guid ConversationId, int Number, string Role, string Content, Usage Usage) : Answer;

    private sealed record Usage(int PromptTokens, int CompletionTokens, int TotalTokens);

    private sealed record SessionAnswer(Session Session) : Answer;
}
