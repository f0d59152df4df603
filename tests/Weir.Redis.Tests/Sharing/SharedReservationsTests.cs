using Weir.TestKit.Redis;

namespace Weir.Redis.Tests.Sharing;

/// <summary>Reservations that any node can settle.</summary>
public sealed class SharedReservationsTests
{
    private static readonly Rule Bucket = Rule.Create(new RuleOptions
    {
        Name = "tokens",
        Domain = "llm",
        Path = "a/b",
        Algorithm = AlgorithmKind.TokenBucket,
        Permits = 10,
        Burst = 30,
        Window = TimeSpan.FromSeconds(7),
        Failure = FailurePolicy.Local,
    });

    private static readonly Rule Monthly = Rule.Create(new RuleOptions
    {
        Name = "month",
        Algorithm = AlgorithmKind.FixedWindow,
        Permits = 4_000_000_000,
        Calendar = CalendarUnit.Month,
        TimeZone = "Europe/Berlin",
        Quota = true,
    });

    [Fact]
    public async Task Reservation_IsTheSameOnAnotherNode()
    {
        await using var server = await Servers.StartAsync();
        await using var one = await TestNode.StartAsync(Servers.UrlOf(server), "a");
        await using var two = await TestNode.StartAsync(Servers.UrlOf(server), "b");
        var (here, there) = (new SharedReservations(one.State), new SharedReservations(two.State));
        var reserved = Reserve(60_000_000);

        var id = await here.AddAsync(reserved);
        var found = await there.FindAsync(id!);
        var taken = await there.TakeAsync(id!);

        Assert.Matches("^[0-9a-f]{32}$", id);
        Same(reserved, found!);
        Same(reserved, taken!);
        // Engines know rules by their objects.
        Assert.Same(found!.Charges[0].Rule, taken!.Charges[0].Rule);
        Assert.Same(taken.Charges[0].Rule, taken.Charges[2].Rule);
        Assert.Null(await here.FindAsync(id!));
        Assert.Null(await here.TakeAsync(id!));
        Assert.False(await here.ExtendAsync(id!, reserved));
    }

    [Fact]
    public async Task Take_ByManyAtOnce_GivesItToOne()
    {
        await using var server = await Servers.StartAsync();
        await using var one = await TestNode.StartAsync(Servers.UrlOf(server), "a");
        await using var two = await TestNode.StartAsync(Servers.UrlOf(server), "b");
        SharedReservations[] books = [new(one.State), new(two.State)];

        for (var round = 0; round < 20; round++)
        {
            var id = await books[0].AddAsync(Reserve(60_000_000));
            var takers = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => books[i % 2].TakeAsync(id!)));
            Assert.Single(takers, static t => t is not null);
        }
        Assert.DoesNotContain(Servers.KeysOf(server).Keys, static k => k.Contains("reservations"));
    }

    [Fact]
    public async Task Reservation_EndsWithItsTime_UnlessItIsExtended()
    {
        await using var server = await Servers.StartAsync();
        await using var node = await TestNode.StartAsync(Servers.UrlOf(server));
        var book = new SharedReservations(node.State);
        // The one that is extended would outlive the test as it is: on a busy machine a shorter one might have ended by then.
        var (ended, extended) = (Reserve(50_000), Reserve(600_000_000));
        var (endedId, extendedId) = (await book.AddAsync(ended), await book.AddAsync(extended));
        Assert.All(Servers.KeysOf(server), static k => Assert.True(k.Value > 0, k.Key));

        Assert.True(await book.ExtendAsync(extendedId!, extended with { TtlMicros = 6_000_000_000 }));
        Assert.InRange(Servers.KeysOf(server).Single(k => k.Key.EndsWith(extendedId!, StringComparison.Ordinal)).Value, 600_001, 6_000_000);
        await Eventually.IsTrueAsync(async () => await book.FindAsync(endedId!) is null, "it ends");

        Assert.Null(await book.TakeAsync(endedId!));
        Assert.NotNull(await book.TakeAsync(extendedId!));
    }

    [Theory]
    [InlineData("")]
    [InlineData("x")]
    [InlineData("0123456789ABCDEF0123456789ABCDEF")]
    [InlineData("00000000000000000000000000000000")]
    [InlineData("{nodes}0000000000000000000000000")]
    public async Task ANameThatWasNeverGiven_IsNotFound(string id)
    {
        await using var server = await Servers.StartAsync();
        await using var node = await TestNode.StartAsync(Servers.UrlOf(server));
        var book = new SharedReservations(node.State);

        Assert.Null(await book.FindAsync(id));
        Assert.Null(await book.TakeAsync(id));
    }

    [Fact]
    public async Task Bound_HoldsForEachPart_AndEndedOnesMakeRoom()
    {
        await using var server = await Servers.StartAsync();
        await using var node = await TestNode.StartAsync(Servers.UrlOf(server));
        var book = new SharedReservations(node.State);
        var now = long.Parse(server.Call("TIME").Items[0].Text) * 1_000_000;
        const string fill = "for i = 1, ARGV[1] do redis.call('ZADD', KEYS[1], ARGV[2], i) end";
        foreach (var part in "0123456789abcdef")
            server.Call("EVAL", fill, "1", $"weir:{{reservations:{part}}}", $"{SharedReservations.Max / 16}", $"{now + 1_000_000_000}");

        Assert.Null(await book.AddAsync(Reserve(60_000_000)));
        foreach (var part in "0123456789abcdef")
            server.Call("ZADD", $"weir:{{reservations:{part}}}", "1", "7");

        Assert.NotNull(await book.AddAsync(Reserve(60_000_000)));
    }

    // Whoever was told that there was no answer asks again, and must find the reservation.
    [Fact]
    public async Task TakeThatReachesRedisTooLate_TakesNothing()
    {
        await using var server = await Servers.StartAsync();
        await using var proxy = new FaultyProxy(server.Port);
        await using var node = await TestNode.StartAsync($"redis://127.0.0.1:{proxy.Port}");
        await TestNode.MeetAsync(node);
        var book = new SharedReservations(node.State);
        var id = await book.AddAsync(Reserve(60_000_000));

        proxy.HoldRequests = true;
        await Assert.ThrowsAsync<SharedStateException>(() => book.TakeAsync(id!));
        proxy.HoldRequests = false;
        await Eventually.IsTrueAsync(() => node.State.Lost is null, "the node is back");

        Assert.NotNull(await book.TakeAsync(id!));
    }

    [Fact]
    public async Task RedisAway_IsSaid()
    {
        await using var server = await Servers.StartAsync();
        await using var node = await TestNode.StartAsync(Servers.UrlOf(server));
        var book = new SharedReservations(node.State);
        await server.KillAsync();
        await Eventually.IsTrueAsync(() => node.State.Lost is not null, "the node has noticed");

        Assert.False((await Assert.ThrowsAsync<SharedStateException>(() => book.AddAsync(Reserve(1_000_000)))).MayHaveHappened);
        Assert.False((await Assert.ThrowsAsync<SharedStateException>(() => book.TakeAsync(new string('0', 32)))).MayHaveHappened);
    }

    [Fact]
    public async Task ReservationOfALaterForm_IsNotGuessedAt()
    {
        await using var server = await Servers.StartAsync();
        await using var node = await TestNode.StartAsync(Servers.UrlOf(server));
        var book = new SharedReservations(node.State);
        var id = new string('a', 32);
        server.Call("SET", $"weir:{{reservations:a}}:{id}", """{"v":2,"rules":[],"charges":[]}""", "PX", "60000");

        Assert.Null(await book.FindAsync(id));
    }

    private static SharedReservation Reserve(long ttlMicros) => new(
        [
            new Charge(Bucket, new CounterId(1, ulong.MaxValue), 500, CounterLabel.OfKey("é\0x")),
            new Charge(Monthly, new CounterId(ulong.MaxValue, 2), 1, CounterLabel.OfKey("")),
            new Charge(Bucket, new CounterId(3, 3), 0, Array.Empty<byte>()),
        ],
        [long.MinValue, long.MaxValue, -1], ttlMicros);

    private static void Same(SharedReservation expected, SharedReservation actual)
    {
        Assert.Equal((expected.TtlMicros, expected.Charges.Length), (actual.TtlMicros, actual.Charges.Length));
        Assert.Equal(expected.Stamps, actual.Stamps);
        for (var i = 0; i < expected.Charges.Length; i++)
        {
            var (a, b) = (expected.Charges[i], actual.Charges[i]);
            Assert.Equal((a.Id, a.Cost, Convert.ToHexString(a.Label.Span)), (b.Id, b.Cost, Convert.ToHexString(b.Label.Span)));
            Assert.Equivalent(a.Rule.ToOptions(), b.Rule.ToOptions());
        }
    }
}
