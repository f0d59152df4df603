using Weir.EndToEnd.Tests.Fleets;

namespace Weir.EndToEnd.Tests.Checklist;

/// <summary>Three node processes that all tests of the checklist ask, each test for keys of its own.</summary>
public sealed class ChecklistFleet : IAsyncLifetime
{
    /// <summary>The default rule's limit.</summary>
    public const int Limit = 10;

    private Fleet? _fleet;

    internal Fleet Fleet => _fleet!;

    public async ValueTask InitializeAsync() => _fleet = await Fleet.StartAsync(
        null, "--default-limit", $"{Limit}", "--default-window-ms", LongWindow.Milliseconds, "--decision-timeout-ms", "5000");

    public ValueTask DisposeAsync() => _fleet?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>Tests that ask the same nodes.</summary>
[CollectionDefinition(nameof(ChecklistNodes))]
public sealed class ChecklistNodes : ICollectionFixture<ChecklistFleet>;
