using Weir.Server.Rules;
using Weir.TestKit;

namespace Weir.Server.Tests.Rules;

public sealed class RulesWatcherTests : IDisposable
{
    private readonly RulesFolder _folder = new();
    private readonly ManualTimeProvider _time = new();

    public void Dispose() => _folder.Dispose();

    private static void Change(RulesFolder folder, string way, string text)
    {
        switch (way)
        {
            case "in place":
                folder.Write("rules.yaml", text);
                break;
            case "rename over":
                folder.RenameOver("rules.yaml", text);
                break;
            case "delete and create":
                File.Delete(folder.PathOf("rules.yaml"));
                folder.Write("rules.yaml", text);
                break;
            case "symlink swap":
                folder.SwapConfigMap("2026_02", text);
                break;
        }
    }

    [Theory]
    [InlineData("in place", true)]
    [InlineData("in place", false)]
    [InlineData("rename over", true)]
    [InlineData("rename over", false)]
    [InlineData("delete and create", false)]
    [InlineData("symlink swap", true)]
    [InlineData("symlink swap", false)]
    public void Change_IsInForce_AfterTwoLooks(string way, bool watchesFolder)
    {
        if (way == "symlink swap")
            _folder.SwapConfigMap("2026_01", RulesFolder.Text(5));
        else
            _folder.Write("rules.yaml", RulesFolder.Text(5));
        using var store = RulesStore.Open(watchesFolder ? _folder.Root : _folder.PathOf("rules.yaml"), _time);
        Assert.Equal(5, store.Limit());

        Change(_folder, way, RulesFolder.Text(6));
        _time.Look(1);
        Assert.Equal(5, store.Limit());
        _time.Look(1);

        Assert.Equal((6, 2), (store.Limit(), store.Current.Version));
        Assert.True(RulesWatcher.Period * 3 < TimeSpan.FromSeconds(1), "a change must be in force within a second");
    }

    [Theory]
    [InlineData("in place")]
    [InlineData("rename over")]
    [InlineData("delete and create")]
    [InlineData("symlink swap")]
    public async Task Change_InRealTime_IsInForceSoon(string way)
    {
        if (way == "symlink swap")
            _folder.SwapConfigMap("2026_01", RulesFolder.Text(5));
        else
            _folder.Write("rules.yaml", RulesFolder.Text(5));
        using var store = RulesStore.Open(_folder.Root, TimeProvider.System);

        Change(_folder, way, RulesFolder.Text(6));

        // A second is the promise; the cap leaves room for a machine that is busy with other tests.
        using var cap = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        while (store.Limit() != 6)
            await Task.Delay(10, cap.Token);
        Assert.Equal(2, store.Current.Version);
    }

    [Fact]
    public void NoChange_KeepsTheVersion_AlsoWhenTouched()
    {
        var path = _folder.Write("rules.yaml", RulesFolder.Text(5));
        using var store = RulesStore.Open(path, _time);

        File.SetLastWriteTimeUtc(path, new DateTime(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        _time.Look(5);

        Assert.Equal(1, store.Current.Version);
    }

    [Fact]
    public void Change_OfEqualLengthAndTime_IsSeen()
    {
        var path = _folder.Write("rules.yaml", RulesFolder.Text(5));
        var written = File.GetLastWriteTimeUtc(path);
        using var store = RulesStore.Open(path, _time);

        _folder.Write("rules.yaml", RulesFolder.Text(6));
        File.SetLastWriteTimeUtc(path, written);
        _time.Look();

        Assert.Equal(6, store.Limit());
    }

    [Fact]
    public void Change_OfALargeFile_IsSeenByItsTime()
    {
        var padding = "#" + new string('x', 100_000);
        var path = _folder.Write("rules.yaml", RulesFolder.Text(5) + padding);
        File.SetLastWriteTimeUtc(path, new DateTime(2025, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        using var store = RulesStore.Open(path, _time);

        _folder.Write("rules.yaml", RulesFolder.Text(6) + padding);
        _time.Look();

        Assert.Equal(6, store.Limit());
    }

    [Fact]
    public void Folder_FileAddedAndRemoved_FollowsBoth()
    {
        _folder.Write("a.yaml", RulesFolder.Text(1, "a"));
        using var store = RulesStore.Open(_folder.Root, _time);

        _folder.Write("b.yaml", RulesFolder.Text(2, "b"));
        _time.Look();
        Assert.Equal(["a", "b"], store.Current.RuleSet.Domains);
        File.Delete(_folder.PathOf("a.yaml"));
        _time.Look();
        Assert.Equal(["b"], store.Current.RuleSet.Domains);
    }

    [Fact]
    public void HalfWrittenFile_IsLeftAlone_UntilItRests()
    {
        var whole = RulesFolder.Text(6);
        var path = _folder.Write("rules.yaml", RulesFolder.Text(5));
        using var store = RulesStore.Open(path, _time);
        var log = new KeepingLogger();
        store.Log = log;

        for (var length = 0; length < whole.Length; length++)
        {
            _folder.Write("rules.yaml", whole[..length]);
            _time.Look(1);
        }
        Assert.Equal(5, store.Limit());
        _folder.Write("rules.yaml", whole);
        _time.Look();

        Assert.Equal(6, store.Limit());
        Assert.Equal([$"Information: rules: version 2 from {path} is in force, 1 rules"], log.Lines);
    }

    [Fact]
    public void BadFile_KeepsTheOldRules_SaysWhyOnce_AndRecovers()
    {
        var path = _folder.Write("rules.yaml", RulesFolder.Text(5));
        using var store = RulesStore.Open(path, _time);
        var log = new KeepingLogger();
        store.Log = log;
        List<RulesFailure> failures = [];
        store.Failed = failures.Add;
        var before = store.Current;

        _folder.Write("rules.yaml", "domain: d\ndescriptors:\n- key: ''\n- kee: x\n");
        _time.Look(20);

        Assert.Same(before, store.Current);
        string[] problems =
        [
            $"{path}:3:8: This descriptor has an empty key. Give it a name, such as user.",
            $"{path}:4:3: Unknown key 'kee' in a descriptor. Did you mean 'key'?",
            $"{path}:4:3: This descriptor has no key. Add key, such as key: user.",
        ];
        Assert.Equal(problems, store.LastError!.Problems);
        Assert.Equal(
            [$"Error: rules: 3 problems in {path}; version 1 stays in force", .. problems.Select(p => $"Error: rules: {p}")],
            log.Lines);
        Assert.Same(store.LastError, Assert.Single(failures));

        _folder.Write("rules.yaml", RulesFolder.Text(6));
        _time.Look();
        Assert.Equal((6, 2, null), (store.Limit(), store.Current.Version, store.LastError));
    }

    [Fact]
    public void BadFile_TakenBack_ClearsTheErrorWithoutANewVersion()
    {
        using var store = RulesStore.Open(_folder.Write("rules.yaml", RulesFolder.Text(5)), _time);
        _folder.Write("rules.yaml", "nonsense");
        _time.Look();
        Assert.NotNull(store.LastError);

        _folder.Write("rules.yaml", RulesFolder.Text(5));
        _time.Look();

        Assert.Equal((5, 1, null), (store.Limit(), store.Current.Version, store.LastError));
    }

    [Fact]
    public void MissingFile_KeepsTheOldRules_AndComesBack()
    {
        var path = _folder.Write("rules.yaml", RulesFolder.Text(5));
        using var store = RulesStore.Open(path, _time);

        File.Delete(path);
        _time.Look(5);
        Assert.Equal(5, store.Limit());
        Assert.Equal([$"{path}: There is no such file or folder. Check the path."], store.LastError!.Problems);

        _folder.Write("rules.yaml", RulesFolder.Text(6));
        _time.Look();
        Assert.Equal((6, null), (store.Limit(), store.LastError));
    }

    [Fact]
    public void SentRules_AreReplacedByTheFile_WhenItComesBack()
    {
        var path = _folder.Write("rules.yaml", RulesFolder.Text(5));
        using var store = RulesStore.Open(path, _time);
        Assert.Empty(store.Replace(RulesFolder.Text(9)));
        File.Delete(path);
        _time.Look();
        Assert.Equal(9, store.Limit());

        _folder.Write("rules.yaml", RulesFolder.Text(5));
        _time.Look();

        Assert.Equal((5, 3), (store.Limit(), store.Current.Version));
    }

    [Fact]
    public void Dispose_EndsTheWatching()
    {
        var store = RulesStore.Open(_folder.Write("rules.yaml", RulesFolder.Text(5)), _time);
        store.Dispose();

        _folder.Write("rules.yaml", RulesFolder.Text(6));
        _time.Look(5);

        Assert.Equal(5, store.Limit());
    }

    [Fact]
    public async Task Reload_UnderReaders_ShowsEachOfThemWholeSnapshots()
    {
        static string Many(int limit) => "domain: d\ndescriptors:\n"
            + string.Concat(Enumerable.Range(0, 50).Select(i => $"- {{key: k{i}, rate_limit: {{limit: {limit}, window: 1m}}}}\n"));
        _folder.Write("rules.yaml", Many(1));
        using var store = RulesStore.Open(_folder.Root, _time);
        using var stop = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            var seen = new HashSet<int>();
            while (!stop.IsCancellationRequested)
            {
                var snapshot = store.Current;
                seen.Add(snapshot.Version);
                Assert.Equal(50, snapshot.RuleSet.Rules.Count);
                Assert.All(snapshot.RuleSet.Rules, r => Assert.Equal(snapshot.Version, r.Permits));
            }
            return seen.Count;
        })).ToArray();

        for (var version = 2; version <= 25; version++)
        {
            _folder.RenameOver("rules.yaml", Many(version));
            _time.Look();
            // A reader needs a turn now and then, or the test would prove nothing.
            await Task.Delay(1);
        }
        await stop.CancelAsync();

        Assert.Equal(25, store.Current.Version);
        Assert.All(await Task.WhenAll(readers), versions => Assert.True(versions > 1, $"a reader saw {versions} versions"));
    }
}
