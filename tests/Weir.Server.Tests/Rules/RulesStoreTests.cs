using Weir.Server.Rules;
using Weir.TestKit;

namespace Weir.Server.Tests.Rules;

public sealed class RulesStoreTests : IDisposable
{
    private readonly RulesFolder _folder = new();
    private readonly ManualTimeProvider _time = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_WithoutPath_HasNoRules()
    {
        using var store = RulesStore.Open(null, _time);

        Assert.Equal((1, "none", 0), (store.Current.Version, store.Current.Source, store.Current.RuleSet.Domains.Count));
    }

    [Fact]
    public void Open_File_LoadsIt()
    {
        var path = _folder.Write("rules.yaml", RulesFolder.Text(5));

        using var store = RulesStore.Open(path, _time);

        Assert.Equal((5, 1, path), (store.Limit(), store.Current.Version, store.Current.Source));
        Assert.Equal((_time.GetUtcNow(), null), (store.Current.LoadedAt, store.LastError));
        Assert.Equal([new RulesFile(path, RulesFolder.Text(5))], store.Current.Files);
    }

    [Fact]
    public void Open_Folder_LoadsEveryYamlFile_AndNothingElse()
    {
        _folder.Write("b.yaml", RulesFolder.Text(1, "b"));
        _folder.Write("a.YML", RulesFolder.Text(1, "a"));
        _folder.Write(".hidden.yaml", "not rules");
        _folder.Write("notes.txt", "not rules");
        Directory.CreateDirectory(_folder.PathOf("below.yaml"));
        _folder.Write("below.yaml/c.yaml", "not rules");

        using var store = RulesStore.Open(_folder.Root, _time);

        Assert.Equal(["a", "b"], store.Current.RuleSet.Domains);
    }

    [Fact]
    public void Open_BadFiles_ThrowsWithEveryProblemOfAll()
    {
        var a = _folder.Write("a.yaml", "domain: d\ndescriptors:\n- kee: x\n");
        var b = _folder.Write("b.yaml", "domain: d\ndescriptors: []\n");
        File.WriteAllBytes(_folder.PathOf("c.yaml"), [.. "domain: "u8, 0xE9]);
        File.CreateSymbolicLink(_folder.PathOf("d.yaml"), "nowhere");

        var error = Assert.Throws<RulesException>(() => RulesStore.Open(_folder.Root, _time));

        Assert.Equal(
            [
                $"{_folder.PathOf("c.yaml")}: Byte 8 (0xE9) is not UTF-8. Save the file as UTF-8.",
                $"{_folder.PathOf("d.yaml")}: There is no such file or folder. Check the path.",
                $"{a}:3:3: Unknown key 'kee' in a descriptor. Did you mean 'key'?",
                $"{a}:3:3: This descriptor has no key. Add key, such as key: user.",
                $"{b}:1:1: Domain 'd' in {b} is already defined at {a}:1. Put its descriptors into one file.",
            ],
            error.Problems.Select(p => p.ToString()));
        Assert.Equal(string.Join(Environment.NewLine, error.Problems), error.Message);
    }

    [Fact]
    public void Open_MissingEmptyOrTooLarge_Throws()
    {
        Assert.Contains("no such file", Assert.Throws<RulesException>(() => RulesStore.Open(_folder.PathOf("x.yaml"), _time)).Message, StringComparison.Ordinal);
        Assert.Contains("no *.yaml", Assert.Throws<RulesException>(() => RulesStore.Open(_folder.Root, _time)).Message, StringComparison.Ordinal);
        var large = _folder.Write("large.yaml", "#" + new string('x', RulesFiles.MaxBytes));
        Assert.Contains("4,194,305 bytes and may have 4,194,304", Assert.Throws<RulesException>(() => RulesStore.Open(large, _time)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Replace_PutsATextInForce_UntilTheFileChanges()
    {
        var path = _folder.Write("rules.yaml", RulesFolder.Text(5));
        using var store = RulesStore.Open(path, _time);
        List<int> changes = [];
        store.Changed = s => changes.Add(s.Version);

        Assert.Empty(store.Replace(RulesFolder.Text(6)));
        _time.Look(10);

        Assert.Equal((6, 2, "PUT /api/rules"), (store.Limit(), store.Current.Version, store.Current.Source));
        _folder.Write("rules.yaml", RulesFolder.Text(7));
        _time.Look();
        Assert.Equal((7, 3, path), (store.Limit(), store.Current.Version, store.Current.Source));
        Assert.Equal([2, 3], changes);
    }

    [Fact]
    public void Replace_BadText_ChangesNothing()
    {
        using var store = RulesStore.Open(_folder.Write("rules.yaml", RulesFolder.Text(5)), _time);
        var before = store.Current;

        Assert.Equal(["body:1:1: The file has no descriptors. Add the list, or descriptors: [] for a domain without rules."], store.Replace("domain: d"));
        Assert.Single(store.Replace(new string(' ', RulesFiles.MaxBytes + 1)));

        Assert.Same(before, store.Current);
        Assert.Null(store.LastError);
        Assert.NotNull(RulesStore.Check(RulesFolder.Text(1)).RuleSet);
        Assert.Single(RulesStore.Check("domain: d").Problems);
    }

    [Fact]
    public async Task Replace_FromManyThreads_GivesEachItsVersion()
    {
        using var store = RulesStore.Open(null, _time);
        var versions = new System.Collections.Concurrent.ConcurrentBag<int>();
        store.Changed = s => versions.Add(s.Version);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() =>
        {
            for (var n = 0; n < 50; n++)
                Assert.Empty(store.Replace(RulesFolder.Text(i)));
        })));

        Assert.Equal(Enumerable.Range(2, 400), versions.Order());
        Assert.Equal(401, store.Current.Version);
    }

    [Fact]
    public void Open_WithAFailurePolicy_GivesItToRulesThatNameNone()
    {
        var path = _folder.Write("rules.yaml", """
            domain: d
            descriptors:
              - key: a
                rate_limit: { limit: 1, window: 1s }
              - key: b
                rate_limit: { limit: 1, window: 1s, failure: closed }
            """);

        using var store = RulesStore.Open(path, _time, FailurePolicy.Open);

        Assert.Equal([FailurePolicy.Open, FailurePolicy.Closed], store.Current.RuleSet.Rules.Select(r => r.Failure));
    }
}
