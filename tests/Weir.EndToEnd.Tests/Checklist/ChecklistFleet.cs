using Weir.EndToEnd.Tests.Fleets;

namespace Weir.EndToEnd.Tests.Checklist;

/// <summary>Three node processes that all tests of the checklist ask, each test for keys of its own.</summary>
public sealed class ChecklistFleet : FleetFixture
{
    /// <summary>The default rule's limit.</summary>
    public const int Limit = 10;

    private protected override Task<Fleet> StartAsync() => Fleet.StartAsync(
        null, "--default-limit", $"{Limit}", "--default-window-ms", LongWindow.Milliseconds, "--decision-timeout-ms", "5000");
}

/// <summary>Tests that ask the same nodes.</summary>
[CollectionDefinition(nameof(ChecklistNodes))]
public sealed class ChecklistNodes : ICollectionFixture<ChecklistFleet>;
