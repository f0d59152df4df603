using System.Text;
using AgentApi.Tests.Servers;

namespace AgentApi.Tests;

/// <summary>The assistant and its memory.</summary>
public sealed class ConversationTests(Stores stores)
{
    [Fact]
    public async Task Assistant_RemembersWhatWasSaid_AndSaysWhatItCost()
    {
        Stores.SkipWithoutServers();
        await using var agent = await Agent.StartAsync(stores);
        using var alice = agent.As(Agent.AliceKey);
        var conversation = await alice.BeginAsync("a walk");

        var first = await alice.SayAsync(conversation, "I like rivers");
        var second = await alice.SayAsync(conversation, "and weirs");
        var again = await alice.SayAsync(conversation, "and weirs");

        Assert.Equal((201, 201, 201), (first.Status, second.Status, again.Status));
        Assert.Equal("You said: I like rivers\nThis is where our conversation begins.", first["content"].GetString());
        Assert.Contains("You began with: I like rivers", second["content"].GetString());
        Assert.Contains("Before this you said: and weirs", again["content"].GetString());
        // 13 bytes, and 62.
        Assert.Equal((4, 16, 20), (Usage(first, "prompt"), Usage(first, "completion"), Usage(first, "total")));
        var shown = await alice.GetHeardAsync(conversation);
        Assert.Equal(("a walk", 6), (shown["conversation"].GetProperty("title").GetString(), shown["conversation"].GetProperty("message_count").GetInt32()));
        Assert.Equal(Usage(first, "total") + Usage(second, "total") + Usage(again, "total"), shown["conversation"].GetProperty("tokens").GetInt32());
        Assert.Equal(["user: I like rivers", "assistant: " + first["content"].GetString(), "user: and weirs"], (await alice.ReadAllAsync(conversation)).Take(3));

        static int Usage(Heard said, string what) => said["usage"].GetProperty(what + "_tokens").GetInt32();
    }

    [Fact]
    public async Task Answer_EndsAtMaxTokens_AndNotInsideALetter()
    {
        Stores.SkipWithoutServers();
        await using var agent = await Agent.StartAsync(stores);
        using var alice = agent.As(Agent.AliceKey);
        var conversation = await alice.BeginAsync();

        var said = await alice.PostHeardAsync($"{conversation}/messages?max_tokens=4", new { content = "🦫🦫🦫🦫" });

        // Ten bytes stand before what was said, so one beaver of four bytes fits into the sixteen.
        Assert.Equal("You said: 🦫", said["content"].GetString());
        Assert.Equal(4, said["usage"].GetProperty("completion_tokens").GetInt32());
    }

    [Fact]
    public async Task Conversations_OutliveTheProcessesThatKeepThem()
    {
        Stores.SkipWithoutServers();
        await using var postgres = await PostgresServer.StartAsync();
        var variables = Agent.Variables(postgres, await postgres.CreateDatabaseAsync(), stores.Redis);
        var acknowledged = new List<string>();
        string conversation;
        await using (var agent = await Agent.StartAsync(variables))
        {
            using var alice = agent.As(Agent.AliceKey);
            conversation = await alice.BeginAsync();
            // Talking goes on until both are gone: what was acknowledged before must be there afterwards.
            var talking = TalkAsync(alice, conversation, acknowledged);
            await Weir.TestKit.Redis.Eventually.IsTrueAsync(() => Count(acknowledged) >= 10, "ten questions are answered");
            await Task.WhenAll(agent.KillAsync(), postgres.CrashAsync());
            await talking;
        }

        await postgres.StartAgainAsync();
        await using var another = await Agent.StartAsync(variables);
        using var later = another.As(Agent.AliceKey);
        var said = await later.ReadAllAsync(conversation);

        var asked = said.Where(static s => s.StartsWith("user: ", StringComparison.Ordinal)).Select(static s => s[6..]).ToList();
        Assert.Equal(acknowledged, asked.Take(acknowledged.Count));
        // One more may have been stored whose answer did not arrive.
        Assert.InRange(asked.Count, acknowledged.Count, acknowledged.Count + 1);
        Assert.Equal(2 * asked.Count, said.Count);
        Assert.Contains($"I remember {said.Count} messages", (await later.SayAsync(conversation, "still there?"))["content"].GetString());
    }

    [Fact]
    public async Task Messages_SaidAtTheSameTimeThroughTwoInstances_AreAllKept_EachWithItsAnswer()
    {
        Stores.SkipWithoutServers();
        var variables = Agent.Variables(stores.Postgres, await stores.Postgres.CreateDatabaseAsync(), stores.Redis);
        await using var one = await Agent.StartAsync(variables);
        await using var two = await Agent.StartAsync(variables);
        using var first = one.As(Agent.AliceKey);
        using var second = two.As(Agent.AliceKey);
        var conversation = await first.BeginAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => (i % 2 == 0 ? first : second).SayAsync(conversation, $"question {i:00}")));

        Assert.All(answers, static a => Assert.Equal(201, a.Status));
        Assert.Equal(Enumerable.Range(1, 40).Select(static i => 2 * i), answers.Select(static a => a["number"].GetInt32()).Order());
        var said = await second.ReadAllAsync(conversation);
        Assert.Equal(80, said.Count);
        foreach (var turn in said.Chunk(2))
            Assert.StartsWith($"assistant: You said: {turn[0]["user: ".Length..]}", turn[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task HostileTexts_AreKeptAsTheyAre()
    {
        Stores.SkipWithoutServers();
        await using var agent = await Agent.StartAsync(stores);
        using var alice = agent.As(Agent.AliceKey);
        string[] texts =
        [
            "'); drop table messages; --",
            "' or '1'='1",
            "$1 {0} %s \\'; select pg_sleep(10); --",
            "\u202eזה\u2028<script>alert(1)</script>\r\n\t😀 \ud83e\uddab",
        ];

        foreach (var text in texts)
        {
            var conversation = await alice.BeginAsync(text);
            var said = await alice.SayAsync(conversation, text);

            Assert.Equal(201, said.Status);
            Assert.Equal("user: " + text, (await alice.ReadAllAsync(conversation))[0]);
            Assert.Equal(text, (await alice.GetHeardAsync(conversation))["conversation"].GetProperty("title").GetString());
            foreach (var path in new[] { $"/conversations/{Uri.EscapeDataString(text)}", $"{conversation}?after={Uri.EscapeDataString(text)}", $"{conversation}?limit=1;drop" })
                Assert.InRange((await alice.GetHeardAsync(path)).Status, 400, 404);
        }
        using var hostile = agent.As("' or 1=1; --");
        Assert.Equal(401, (await hostile.GetHeardAsync("/users")).Status);
        Assert.Equal(texts.Length, (await alice.GetHeardAsync("/conversations"))["conversations"].GetArrayLength());
        Assert.Equal(200, (await agent.HealthAsync()).Status);
    }

    [Fact]
    public async Task BadInput_IsRefused_NamingTheField()
    {
        Stores.SkipWithoutServers();
        await using var agent = await Agent.StartAsync(stores);
        using var alice = agent.As(Agent.AliceKey);
        var conversation = await alice.BeginAsync();
        (string Body, string Field)[] cases =
        [
            ("", "content"),
            ("{", "body"),
            ("[]", "body"),
            ("null", "body"),
            ("\"content\"", "body"),
            ("""{"contents":"x"}""", "$.contents"),
            ("""{"content":5}""", "$.content"),
            ("""{"content":""}""", "content"),
            ("""{"content":"\ud800"}""", "$.content"),
            ("""{"content":"a\u0000b"}""", "content"),
            ("""{"content":"x","max_tokens":5}""", "max_tokens"),
        ];

        foreach (var (body, field) in cases)
        {
            var refused = await alice.PostRawAsync($"{conversation}/messages", Encoding.UTF8.GetBytes(body));

            Assert.Equal((body, 400), (body, refused.Status));
            Assert.Contains(field, refused.Detail);
            Assert.Equal("application/problem+json", refused.Headers["Content-Type"]);
        }
        foreach (var query in new[] { "0", "4097", "-1", "1e9", "", "%00", "1&max_tokens=2" })
        {
            var refused = await alice.PostHeardAsync($"{conversation}/messages?max_tokens={query}", new { content = "x" });

            Assert.Equal((query, 400), (query, refused.Status));
            Assert.StartsWith("max_tokens: ", refused.Detail, StringComparison.Ordinal);
        }
        Assert.Empty(await alice.ReadAllAsync(conversation));
    }

    [Fact]
    public async Task OversizedInput_IsRefused_AndNothingIsKept()
    {
        Stores.SkipWithoutServers();
        await using var agent = await Agent.StartAsync(stores);
        using var alice = agent.As(Agent.AliceKey);
        var conversation = await alice.BeginAsync();

        Assert.Equal(201, (await alice.SayAsync(conversation, new string('x', 8_000))).Status);
        Assert.Equal(400, (await alice.SayAsync(conversation, new string('x', 8_001))).Status);
        Assert.Equal(413, (await alice.SayAsync(conversation, new string('x', 70_000))).Status);
        Assert.Equal(400, (await alice.PostHeardAsync("/conversations", new { title = new string('x', 201) })).Status);
        Assert.Equal(400, (await alice.PostRawAsync("/conversations", Encoding.UTF8.GetBytes(new string('[', 60_000)))).Status);
        Assert.Equal(2, (await alice.ReadAllAsync(conversation)).Count);
    }

    [Fact]
    public async Task Strangers_FindNothing()
    {
        Stores.SkipWithoutServers();
        await using var agent = await Agent.StartAsync(stores);
        using var alice = agent.As(Agent.AliceKey);
        using var bob = agent.As(Agent.BobKey);
        using var nobody = agent.As("made-up-key");
        var conversation = await alice.BeginAsync();

        Assert.Equal(404, (await bob.GetHeardAsync(conversation)).Status);
        Assert.Equal(404, (await bob.SayAsync(conversation, "hello?")).Status);
        Assert.Empty((await bob.GetHeardAsync("/conversations"))["conversations"].EnumerateArray());
        Assert.Single((await alice.GetHeardAsync("/conversations"))["conversations"].EnumerateArray());
        Assert.Equal(401, (await agent.Client.GetHeardAsync(conversation)).Status);
        Assert.Equal(401, (await nobody.GetHeardAsync("/")).Status);
        Assert.Empty(await alice.ReadAllAsync(conversation));
    }

    [Fact]
    public async Task Session_IsSharedByInstances_AndSaysWhereWeWere()
    {
        Stores.SkipWithoutServers();
        await using var redis = await Weir.TestKit.Redis.RedisServer.StartAsync();
        var variables = Agent.Variables(stores.Postgres, await stores.Postgres.CreateDatabaseAsync(), redis, redisPassword: null);
        await using var one = await Agent.StartAsync(variables);
        await using var two = await Agent.StartAsync(variables);
        using var first = one.As(Agent.AliceKey);
        using var second = two.As(Agent.AliceKey);

        Assert.Equal(404, (await second.GetHeardAsync("/session")).Status);
        var conversation = await first.BeginAsync();
        await first.SayAsync(conversation, "hello");
        await second.SayAsync(conversation, "hello again");

        var session = (await second.GetHeardAsync("/session"))["session"];
        Assert.Equal(conversation, $"/conversations/{session.GetProperty("conversation").GetString()}");
        Assert.Equal(2, session.GetProperty("messages").GetInt32());
        Assert.InRange(int.Parse(redis.Call("TTL", "session:alice").Text), 86_000, 86_400);
    }

    private static int Count(List<string> list)
    {
        lock (list)
            return list.Count;
    }

    private static async Task TalkAsync(HttpClient client, string conversation, List<string> acknowledged)
    {
        for (var i = 0; ; i++)
        {
            try
            {
                var said = await client.SayAsync(conversation, $"question {i}");
                if (said.Status != 201)
                    return;
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                return;
            }
            lock (acknowledged)
                acknowledged.Add($"question {i}");
        }
    }
}
