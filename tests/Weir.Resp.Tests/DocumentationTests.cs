using System.Text.RegularExpressions;
using Weir.TestKit.Redis;

namespace Weir.Resp.Tests;

/// <summary>The code of <c>docs/resp.md</c>, compiled and run. A test compares both texts.</summary>
public partial class DocumentationTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "docs", "resp.md"));

    [Fact]
    public void Code_IsThatOfThisFile()
    {
        var source = Squeeze(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "DocumentationTests.cs")));
        var blocks = Blocks().Matches(Page);
        Assert.Equal(5, blocks.Count);
        Assert.All(blocks, block => Assert.Contains(Squeeze(block.Groups["code"].Value), source, StringComparison.Ordinal));
    }

    [Fact]
    public void Urls_CanBeRead()
    {
        var urls = Urls().Matches(Page);
        Assert.True(urls.Count >= 9);
        Assert.All(urls, url => Assert.NotNull(RespOptions.Parse(url.Groups["url"].Value)));
    }

    [Fact]
    public void Causes_HaveMessages() => Assert.All(
        Enum.GetValues<RespCause>(), cause => Assert.NotEqual(cause.ToString(), new RespFailure(RespStage.Handshake, cause).Message));

    [Fact]
    public async Task Code_Runs()
    {
        Needs.Redis();
        await using var server = await RedisServer.StartAsync("--requirepass", "secret");
        server.Call("AUTH", "secret");
        var url = $"redis://:secret@127.0.0.1:{server.Port}";
        await GreetAsync(url);
        Assert.Equal(4096, Adjust(url).MaxPending);
        await using var client = RespClients.Create(Adjust(url));
        await client.ConnectAsync();
        using (var set = await client.SendAsync(new SetCounter { Key = "k"u8.ToArray(), Value = 7 }, slot: -1, TimeSpan.FromSeconds(10)))
            Assert.Equal("OK", set.GetString());
        // The deadlines of the page are short for a busy machine.
        await Eventually.IsTrueAsync(async () => await ReadAsync(client, RespCommand.Create("MGET", "k", "none")) == "7, ", "the values are read");
        await Eventually.IsTrueAsync(
            async () => (await ReadAsync(client, RespCommand.Create("NO-SUCH-COMMAND"))).StartsWith("ERR", StringComparison.Ordinal), "the error is read");
        await ExplainAsync($"redis://:wrong@127.0.0.1:{server.Port}");
    }

    private static async Task GreetAsync(string url)
    {
        await using var client = RespClients.Create(RespOptions.Parse(url));
        await client.ConnectAsync();

        using var reply = await client.SendAsync(RespCommand.Create("GET", "greeting"), RespSlots.Of("greeting"));
        Console.WriteLine(reply.GetString());
    }

    private static RespOptions Adjust(string url)
    {
        var options = RespOptions.Parse(url) with
        {
            ClientName = "my-service",
            CommandTimeout = TimeSpan.FromMilliseconds(50),
            MaxPending = 4096,
        };
        return options;
    }

    private static async Task<string> ReadAsync(IRespClient client, IRespCommand command)
    {
        using var reply = await client.SendAsync(command, slot: -1, TimeSpan.FromMilliseconds(20));
        if (!reply.HasReply)
            return reply.Failure.Execution == RespExecution.NotSent ? "safe to send again" : "may have run";
        if (reply.IsError)
            return reply.ErrorKind == RespErrorKind.OutOfMemory ? "the server is full" : reply.ErrorMessage;
        var reader = reply.Root();
        var lines = new List<string?>();
        for (var due = reader.Count; due > 0; due--)
        {
            reader.Read();
            lines.Add(reader.GetString());
        }
        return string.Join(", ", lines);
    }

    private static async Task ExplainAsync(string url)
    {
        var client = RespClients.Create(RespOptions.Parse(url));
        client.StateChanged += (_, e) => Console.WriteLine(e.State.IsConnected ? $"{e.State.Endpoint}: {e.State.Server}" : e.State.Reason?.Message);
        try
        {
            await client.ConnectAsync();
        }
        catch (RespFailureException e) when (e.Failure.Cause is RespCause.WrongPassword or RespCause.PasswordNeeded)
        {
            Console.WriteLine(e.Message);
        }
        await client.DisposeAsync();
    }

    private static string Squeeze(string text) => Spaces().Replace(text, " ").Trim();

    [GeneratedRegex("```csharp\n(?<code>.*?)```", RegexOptions.Singleline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Blocks();

    [GeneratedRegex(@"^\| `(?<url>[a-z+-]+://[^`]*)`", RegexOptions.Multiline, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Urls();

    [GeneratedRegex(@"\s+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Spaces();

    internal sealed class SetCounter : IRespCommand
    {
        public byte[] Key { get; set; } = [];

        public long Value { get; set; }

        public void Write(ref RespCommandWriter writer)
        {
            writer.Begin(3);
            writer.Write("SET"u8);
            writer.Write(Key);
            writer.Write(Value);
        }
    }
}
