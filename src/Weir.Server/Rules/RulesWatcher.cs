namespace Weir.Server.Rules;

/// <summary>
/// Looks four times a second whether the files have changed, and loads them once they are the same in two looks: a change is in force
/// within a second, and a file in the middle of being written is left alone.
/// </summary>
/// <remarks>
/// Looking is chosen over notifications because those are lost on network and container mounts and do not follow the symbolic links by
/// which Kubernetes swaps a folder. The timer's calls never overlap: a look that finds another under way leaves.
/// </remarks>
internal sealed class RulesWatcher : IDisposable
{
    /// <summary>Time between looks.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromMilliseconds(250);

    private readonly Lock _looking = new();
    private readonly RulesStore _store;
    private readonly string _path;
    private readonly ITimer _timer;
    private byte[] _published;
    private byte[] _tried;
    private byte[]? _changing;
    private int _publishedVersion;
    private bool _disposed;

    public RulesWatcher(RulesStore store, string path, byte[] fingerprint, TimeProvider time)
    {
        _store = store;
        _path = path;
        _published = _tried = fingerprint;
        _publishedVersion = store.Current.Version;
        _timer = time.CreateTimer(static watcher => ((RulesWatcher)watcher!).Look(), this, Period, Period);
    }

    // Waits for a look under way, so that nothing changes after the store is disposed.
    public void Dispose()
    {
        _timer.Dispose();
        lock (_looking)
            _disposed = true;
    }

    private void Look()
    {
        if (!_looking.TryEnter())
            return;
        try
        {
            if (!_disposed)
                LookLocked();
        }
#pragma warning disable CA1031 // A timer's exception would end the process; whatever happens, the rules in force stay.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _store.Apply(new RulesLoad([], null, [new RulesProblem(_path, 0, 0, $"Reloading failed: {e.Message}")], []), _path);
        }
        finally
        {
            _looking.Exit();
        }
    }

    private void LookLocked()
    {
        var seen = RulesFiles.Fingerprint(_path);
        if (seen.AsSpan().SequenceEqual(_tried))
            _changing = null;
        else if (!seen.AsSpan().SequenceEqual(_changing))
            _changing = seen;
        else
            Reload(seen);
    }

    private void Reload(byte[] seen)
    {
        if (seen.AsSpan().SequenceEqual(_published) && _store.Current.Version == _publishedVersion)
        {
            _tried = seen;
            _store.Recovered(_path);
            return;
        }
        var load = RulesFiles.Load(_path, _store.Failure);
        // Files that changed while they were read may be halves of two versions: they get another look.
        if (!RulesFiles.Fingerprint(_path).AsSpan().SequenceEqual(seen))
            return;
        (_tried, _changing) = (seen, null);
        if (_store.Apply(load, _path) is { } version)
            (_published, _publishedVersion) = (seen, version);
    }
}
