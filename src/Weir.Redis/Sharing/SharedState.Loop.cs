namespace Weir.Redis;

/// <content>The loop that follows what is shared.</content>
public sealed partial class SharedState
{
    private const int BeatsPerTtl = 6;

    private const string SeedReplaced = "counters are named anew, because Redis holds another seed than this node had; the nodes are coming together again";

    // The other nodes notice within a poll or two. Until then they count apart.
    private static readonly TimeSpan ComingTogether = TimeSpan.FromSeconds(1);

    // When Redis comes back empty, nodes that have the seed find their way to it within this time.
    private static readonly TimeSpan Courtesy = TimeSpan.FromSeconds(1);

    private readonly TimeSpan _interval;

    private volatile bool _isNewConnection;
    private volatile bool _hasRegistered;
    private string? _lost = "Redis was not asked yet";
    private string? _serverProblem;
    private long _seedReplacedAt;

    // The loop's own.
    private long _unmetSince;
    private NodeCard? _told;
    private long _beatAt;
    private TimeSpan _untilBeat;
    private bool _beatNow;
    private string? _namesakeTold;

    // How many entries the list had: when it changes, somebody has come or gone.
    private string? _listed;
    private int _nodes;
    private int _mostNodesSince;
    private long _fewerSince;

    private bool IsSeedNew => Volatile.Read(ref _seedReplacedAt) is var at and not 0 && _time.GetElapsedTime(at) < ComingTogether;

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            // Whoever wakes the loop from here on wants to be heard by the round after this one.
            Volatile.Write(ref _wake, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            try
            {
                await RoundAsync();
                Volatile.Write(ref _lost, null);
            }
            catch (SharedStateException e)
            {
                LoseSight(e);
            }
            catch (Resp.RespFailureException e)
            {
                LoseSight(e.Message);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // The loop must not end: nobody would notice until limits were wrong.
                LoseSight(e.ToString());
                _owner.Say(SharedSeverity.Error, $"what nodes share could not be followed: {e}");
            }
            await _wake.Task.WaitAsync(_interval, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task RoundAsync()
    {
        // A Cluster that could not be found at first is looked for again only by this.
        if (Store.Client.Primaries.Count == 0)
            await Store.Client.ConnectAsync(_stop.Token);
        _beatNow |= _isNewConnection || _time.GetElapsedTime(_beatAt) >= _untilBeat;
        _isNewConnection = false;
        if (_beatNow)
            await CheckServerAsync();
        await LookAsync();
        if (!_met.Task.IsCompleted)
            return;
        var listed = await Store.SendAsync("HLEN", Store.Keys.Nodes);
        if (_beatNow || (_hasRegistered && _told != _owner.Describe(_overrides.Applied)))
            await BeatAsync();
        else if (listed[0] != _listed)
            await LookWhoHasChangedAsync();
        _listed = listed[0];
    }

    // Somebody has come or gone; it may also be that this node was taken off the list.
    private async Task LookWhoHasChangedAsync()
    {
        var roll = await _registry.LookAsync();
        Take(roll);
        _beatNow = _hasRegistered && roll.Nodes.All(n => n.Instance != _registry.Instance);
    }

    private void LoseSight(SharedStateException e)
    {
        // That there is no connection, others tell.
        if (e.ErrorKind != Resp.RespErrorKind.None && e.Message != Lost)
            _owner.Say(SharedSeverity.Warning, $"what nodes share cannot be followed: {e.Message}");
        LoseSight(e.Message);
    }

    private void LoseSight(string why)
    {
        if (!_met.Task.IsCompleted)
            _unmetSince = _time.GetTimestamp();
        _isNewConnection |= Volatile.Read(ref _lost) is null;
        Volatile.Write(ref _lost, why);
    }

    private async Task CheckServerAsync()
    {
        var problem = await ServerCheck.FindProblemAsync(Store);
        var before = Interlocked.Exchange(ref _serverProblem, problem);
        if (problem is not null && problem != before)
            _owner.Say(SharedSeverity.Error, problem);
        else if (problem is null && before is not null)
            _owner.Say(SharedSeverity.Information, "the servers' settings are right again");
    }

    private async Task LookAsync()
    {
        var seen = await Store.SendAsync("MGET", Store.Keys.Seed, Store.Keys.LimitsVersion);
        await FollowSeedAsync(seen[0]);
        if (!_seed.IsShared)
            return;
        _beatNow |= await _overrides.FollowAsync(seen[1]);
        _met.TrySetResult();
    }

    private async Task FollowSeedAsync(string? seen)
    {
        // A node that did not find Redis when it started may be the newest of many, and should not be the one to choose.
        var mayMake = _unmetSince == 0 || _time.GetElapsedTime(_unmetSince) > Courtesy;
        switch (await _seed.FollowAsync(seen, mayMake))
        {
            case SeedNews.First:
                _owner.UseSeed(_seed.Value);
                break;
            case SeedNews.PutBack:
                _owner.Say(SharedSeverity.Warning, "Redis has lost what nodes share; this node puts back the seed and the overrides that it knows");
                _beatNow = true;
                break;
            case SeedNews.Replaced:
                _owner.Say(SharedSeverity.Error,
                    "Redis holds another seed than this node had: another set of nodes wrote it, or Redis was exchanged. What was counted until now is " +
                    "forgotten; this node uses the other seed from now on");
                Volatile.Write(ref _seedReplacedAt, _time.GetTimestamp());
                _owner.UseSeed(_seed.Value);
                _beatNow = true;
                break;
            default:
                break;
        }
    }

    private async Task BeatAsync()
    {
        if (_owner.Describe(_overrides.Applied) is not { } card)
            return;
        var roll = await _registry.BeatAsync(card);
        (_told, _beatNow, _hasRegistered) = (card, false, true);
        _beatAt = _time.GetTimestamp();
        _untilBeat = _options.Ttl / BeatsPerTtl * (0.8 + (0.4 * Random.Shared.NextDouble()));
        Take(roll);
    }

    private void Take(NodeRoll roll)
    {
        CountNodes(roll.Nodes.Count);
        WarnOfNamesake();
    }

    // That a node has come is believed at once, and that one is gone only later: a part of a limit that is too small does no harm, and after Redis has
    // lost its data the list is short until every node has told of itself again.
    private void CountNodes(int count)
    {
        if (count >= _nodes)
        {
            _nodes = count;
            _fewerSince = 0;
        }
        else if (_fewerSince == 0)
        {
            (_fewerSince, _mostNodesSince) = (_time.GetTimestamp(), count);
        }
        else if (_time.GetElapsedTime(_fewerSince) is var since)
        {
            _mostNodesSince = Math.Max(_mostNodesSince, count);
            if (since >= _options.Ttl / 3)
                (_nodes, _fewerSince) = (_mostNodesSince, 0);
        }
        _owner.CountNodes(Math.Max(1, _nodes));
    }

    private void WarnOfNamesake()
    {
        var other = _registry.Namesake;
        if (other is not null && other.Instance != _namesakeTold)
        {
            _owner.Say(SharedSeverity.Warning,
                $"another node runs under this node's name, '{_options.NodeId}', at {other.Card.Address}. Give each its own with --node-id or RATELIMITER_NODE_ID");
        }
        _namesakeTold = other?.Instance;
    }

    private void OnRestored(int count) => _owner.Say(SharedSeverity.Warning, $"Redis had lost limits of single keys; this node has put back {count:N0}");

    private void OnUnreadable(string key) =>
        _owner.Say(SharedSeverity.Error, $"the limit of the key '{key}' in Redis cannot be read and does not apply; set it again through /api/limits");
}
