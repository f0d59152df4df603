namespace Weir.LoadGen.Configuration;

/// <content>Settings that say nothing beside others. Whoever gives one means something by it, so it is refused rather than left out in silence.</content>
internal sealed partial class ConfigReader
{
    private const string LeaveOneOut = "Leave one of the two out.";

    private static readonly LoadSetting[] OfRate = [LoadSettings.Rps, LoadSettings.Ramp, LoadSettings.BurstMultiplier, LoadSettings.BurstInterval, LoadSettings.BurstDuration];

    private readonly List<string> _notes = [];

    private void FindConflicts()
    {
        var stages = options.Scenario is { Stages.Count: > 0 } scenario ? scenario.Name : null;
        if (options.TextOf(LoadSettings.Loop) is "closed")
        {
            const string circumstance = "with --loop closed, which sends as fast as answers come";
            HasNoMeaning(circumstance, LeaveOneOut, [.. OfRate, LoadSettings.WhenFull]);
            if (stages is not null)
                HasNoMeaning(circumstance, LeaveOneOut, LoadSettings.Scenario);
            if (options.TextOf(LoadSettings.MinRate) is { } rate && IsShare(rate))
                HasNoMeaning($"as a share {circumstance}", "Give a rate.", LoadSettings.MinRate);
        }
        else if (stages is not null)
        {
            HasNoMeaning($"beside the stages of {stages}", LeaveOneOut, [.. OfRate, LoadSettings.Duration]);
        }
        else if (!options.Given.ContainsKey(LoadSettings.BurstMultiplier.Name))
        {
            foreach (var setting in new[] { LoadSettings.BurstInterval, LoadSettings.BurstDuration }.Where(s => options.Given.TryGetValue(s.Name, out var given) && given.By != GivenBy.Variable))
                HasNoMeaning("without --burst-multiplier", "Give one above 1, or leave it out.", setting);
        }
        if (options.TextOf(LoadSettings.Expect) is not { } expect)
            HasNoMeaning("without --expect", "Give a promise with fixed-window, or leave it out.", LoadSettings.ClockOffset);
        else if (Proof.Promise.TryParse(expect) is { Algorithm: not Proof.Algorithm.FixedWindow } promise)
            HasNoMeaning($"where {promise} is expected: only a fixed-window begins at a time of day", LeaveOneOut, LoadSettings.ClockOffset);
    }

    // Containers set all variables always, so a variable alone is told and not refused.
    private void HasNoMeaning(string circumstance, string cure, params ReadOnlySpan<LoadSetting> settings)
    {
        var unused = new List<string>();
        foreach (var setting in settings)
        {
            if (!options.Given.TryGetValue(setting.Name, out var given))
                continue;
            if (given.By == GivenBy.Variable)
                unused.Add(given.Source);
            else
                problems.Add($"{given.Source}: has no meaning {circumstance}. {cure}");
        }
        if (unused.Count > 0)
            _notes.Add($"{string.Join(", ", unused)}: not used, because {(unused.Count == 1 ? "it has" : "they have")} no meaning {circumstance}.");
    }
}
