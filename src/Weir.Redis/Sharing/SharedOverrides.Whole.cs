namespace Weir.Redis;

/// <content>Reading and putting back all limits at once, in pieces that do not hold up decisions.</content>
internal sealed partial class SharedOverrides
{
    private const int Piece = 500;
    private const string StagedMillis = "60000";

    // The pieces are from different moments, so what changed meanwhile is read once more from the log. When that is not possible, all is read again.
    private async Task<bool> ReadAllAsync()
    {
        while (true)
        {
            var before = (await store.SendAsync("GET", store.Keys.LimitsVersion))[0] ?? "";
            // Redis has lost them while they were about to be read. Whoever knows them puts them back.
            if (before.Length == 0 || OverridesVersion.Parse(before).Number < Applied.Number)
                return false;
            var all = await ScanAsync();
            _copy.Clear();
            foreach (var (key, limit) in all)
                _copy[key] = limit;
            table.Replace(_copy);
            Volatile.Write(ref _applied, before);
            if (await ReadChangesAsync())
                return true;
        }
    }

    private async Task<Dictionary<string, OverrideLimit>> ScanAsync()
    {
        var all = new Dictionary<string, OverrideLimit>(StringComparer.Ordinal);
        var cursor = "0";
        do
        {
            var page = await store.SendAsync("HSCAN", store.Keys.Limits, cursor, "COUNT", $"{Piece}");
            cursor = page[0]!;
            for (var i = 1; i < page.Count; i += 2)
            {
                if (OverrideLimit.Read(page[i + 1]!) is { } limit)
                    all[page[i]!] = limit;
                else
                    Unreadable?.Invoke(page[i]!);
            }
        }
        while (cursor != "0");
        return all;
    }

    private async Task RestoreAsync(OverridesVersion version)
    {
        var staged = store.Keys.StagedLimits(NewMark());
        foreach (var piece in _copy.Chunk(Piece))
        {
            var limits = piece.SelectMany(static p => new[] { p.Key, p.Value.ToJson() });
            await store.RunAsync(SharedScript.StageLimits, store.Keys.Slot, [staged], [StagedMillis, .. limits]);
        }
        var reply = await store.RunAsync(
            SharedScript.RestoreLimits, store.Keys.Slot, [.. LimitKeys, staged], version.ToString(), $"{_copy.Count}", SharedStore.KeepMillis, _logSize);
        if (reply[0] == "done")
            Restored?.Invoke(_copy.Count);
    }
}
