using Weir.Resp;

namespace Weir.Redis;

/// <summary>Redis as the place of what nodes share besides counters: asks, and says in one way what went wrong. Thread safe.</summary>
internal sealed class SharedStore(IRespClient client, RespOptions server, string prefix, TimeProvider time)
{
    /// <summary>How long a command may take. What is asked here can wait longer than a decision.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>For how long keys are kept that nodes renew while they run: 733 days, longer than any counter remembers.</summary>
    public const string KeepMillis = "63331200000";

    public IRespClient Client => client;

    /// <summary>Redis' address, without secrets.</summary>
    public string Address { get; } = server.ToString();

    public SharedKeys Keys { get; } = new(prefix);

    public ServerClock Clock { get; } = new(time);

    /// <summary>Runs a script.</summary>
    /// <param name="script">Which.</param>
    /// <param name="slot">The Cluster slot of its keys.</param>
    /// <param name="keys">All keys that it uses.</param>
    /// <param name="arguments">What follows them.</param>
    /// <returns>Every value of the reply in order, however nested; nulls for nulls.</returns>
    /// <exception cref="SharedStateException">It was not done, or nobody knows.</exception>
    public async Task<List<string?>> RunAsync(SharedScript script, int slot, string[] keys, params string[] arguments)
    {
        var reply = await client.SendAsync(script.Call(withText: false, keys, arguments), slot, Patience);
        // The server says by this that it did not run.
        if (reply.ErrorKind == RespErrorKind.NoScript)
        {
            reply.Dispose();
            reply = await client.SendAsync(script.Call(withText: true, keys, arguments), slot, Patience);
        }
        return Read(reply);
    }

    /// <summary>Sends a command about keys that nodes watch.</summary>
    /// <returns>As <see cref="RunAsync"/>.</returns>
    /// <exception cref="SharedStateException">It was not done, or nobody knows.</exception>
    public Task<List<string?>> SendAsync(params string[] command) => SendAsync(Keys.Slot, command);

    /// <summary>Sends a command.</summary>
    /// <returns>As <see cref="RunAsync"/>.</returns>
    /// <exception cref="SharedStateException">It was not done, or nobody knows.</exception>
    public async Task<List<string?>> SendAsync(int slot, params string[] command) => Read(await client.SendAsync(RespCommand.Create(command), slot, Patience));

    /// <summary>The exception of a command without a reply. That there is no connection says less than why there is none.</summary>
    public SharedStateException Failed(RespFailure failure) => new(
        Address,
        failure.Cause == RespCause.NotConnected && client.State.Reason is { } reason ? reason.Failure with { Execution = failure.Execution } : failure);

    private List<string?> Read(RespReply reply)
    {
        using (reply)
        {
            if (!reply.HasReply)
                throw Failed(reply.Failure);
            if (reply.IsError)
                throw new SharedStateException(Address, reply.ErrorKind, reply.ErrorMessage);
            var values = new List<string?>();
            var reader = new RespReader(reply.Bytes);
            while (reader.Read())
            {
                if (reader.Type is not (RespType.Array or RespType.Set or RespType.Map))
                    values.Add(reader.GetString());
            }
            return values;
        }
    }
}
