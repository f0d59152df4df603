using System.Text;

namespace Weir.Resp;

/// <summary>
/// Where to connect and within which bounds. Immutable; usually made by <see cref="Parse"/> and adjusted with <c>with</c>.
/// Its text never contains a password.
/// </summary>
public sealed record RespOptions
{
    /// <summary>How the endpoints belong together. Default: one server.</summary>
    public RespTopology Topology { get; init; }

    /// <summary>The server; or Cluster nodes to start from; or Sentinels. At least one. Default: <c>localhost:6379</c>.</summary>
    public IReadOnlyList<RespEndpoint> Endpoints { get; init; } = [new("localhost", RespEndpoint.DefaultPort)];

    /// <summary>The ACL user. Default null: the server's user <c>default</c>.</summary>
    public string? User { get; init; }

    /// <summary>The password of <see cref="User"/>. Default null: do not authenticate.</summary>
    public string? Password { get; init; }

    /// <summary>The database to select. Default 0, the only one that a Cluster has.</summary>
    public int Database { get; init; }

    /// <summary>What Sentinels call the primary. Needed with <see cref="RespTopology.Sentinel"/>, ignored otherwise.</summary>
    public string? PrimaryName { get; init; }

    /// <summary>The ACL user at the Sentinels. Default null: their user <c>default</c>.</summary>
    public string? SentinelUser { get; init; }

    /// <summary>The password at the Sentinels, which have their own. Default null: do not authenticate there.</summary>
    public string? SentinelPassword { get; init; }

    /// <summary>Encrypts connections, to Sentinels too. Default null: plain TCP.</summary>
    public RespTlsOptions? Tls { get; init; }

    /// <summary>What <c>CLIENT LIST</c> shows for these connections: printable ASCII without spaces. Default null: nothing.</summary>
    public string? ClientName { get; init; }

    /// <summary>The highest protocol to ask for: 2 or 3. Default 3, falling back to 2 where a server has no <c>HELLO</c>.</summary>
    public int Protocol { get; init; } = 3;

    /// <summary>The oldest Redis to accept. Default 6.2. Servers that hide their version are accepted.</summary>
    public Version MinimumVersion { get; init; } = new(6, 2);

    /// <summary>
    /// Accepts a replica where a primary is expected. Default false: connecting to one fails with <see cref="RespCause.NotPrimary"/>.
    /// </summary>
    public bool AllowReplica { get; init; }

    /// <summary>For all of connecting: name lookup, TCP, TLS, and the first commands. More than 0; default 2 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a command waits for its reply when the call says nothing else. More than 0; default 1 s.</summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How often deadlines are looked at, at most, so by how much they may be late. One timer per connection, which fires about when the next one is due and rests
    /// while nothing is pending. At least 1 ms; default 5 ms.
    /// </summary>
    public TimeSpan DeadlineResolution { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>
    /// A connection that sends nothing for this long, while commands wait for replies, is given up. More than 0; default 2 s.
    /// </summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How often an idle connection is probed with <c>PING</c>. More than 0; default 10 s.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The pause before the second attempt to connect. It doubles, with jitter, up to <see cref="MaxBackOff"/>. Default 50 ms.
    /// </summary>
    public TimeSpan MinBackOff { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The longest pause between attempts to connect. At least <see cref="MinBackOff"/>; default 1 s.</summary>
    public TimeSpan MaxBackOff { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often the map of a Cluster is asked for when nothing hints at a change; jittered by a fifth. Default 30 s.</summary>
    public TimeSpan TopologyRefresh { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often Sentinels are asked whether the primary is still the same; jittered by a fifth. Default 1 s.</summary>
    public TimeSpan SentinelPoll { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Commands of one connection that may wait for replies; further ones fail at once with <see cref="RespCause.QueueFull"/>.
    /// 1 to 1,048,576; default 16,384.
    /// </summary>
    public int MaxPending { get; init; } = 16_384;

    /// <summary>
    /// Bytes of commands that may wait for the socket; further ones fail with <see cref="RespCause.QueueFull"/>. Default 16 MiB.
    /// </summary>
    public int MaxUnsentBytes { get; init; } = 16 << 20;

    /// <summary>How large replies may be.</summary>
    public RespLimits Limits { get; init; } = RespLimits.Default;

    /// <summary>Reads a URL; see <c>docs/resp.md</c> for the forms.</summary>
    /// <param name="url">For example <c>rediss://user:password@host:6380/0</c>.</param>
    /// <exception cref="FormatException">
    /// The URL is wrong. The message says where and what to write instead, without showing a password.
    /// </exception>
    public static RespOptions Parse(string url) => TryParse(url, out var options, out var problem) ? options : throw new FormatException(problem);

    /// <summary>Reads a URL, or says what is wrong with it.</summary>
    /// <param name="url">For example <c>redis+cluster://host1:7000,host2:7000</c>.</param>
    /// <param name="options">The options that the URL names, all else at its default.</param>
    /// <param name="problem">What is wrong and how to write it, without showing a password; empty when nothing is.</param>
    public static bool TryParse(
        string url, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out RespOptions? options, out string problem)
    {
        ArgumentNullException.ThrowIfNull(url);
        var parser = new RespUrlParser();
        options = parser.TryParse(url) ? parser.Options : null;
        problem = options is null ? parser.Problem : "";
        return options is not null;
    }

    /// <summary>The URL of these options without user, passwords and query.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(RespUrlScheme.Of(this).Name).Append("://").AppendJoin(',', Endpoints);
        if (Topology == RespTopology.Sentinel)
            text.Append('/').Append(PrimaryName);
        if (Database != 0)
            text.Append('/').Append(Database);
        return text.ToString();
    }
}
