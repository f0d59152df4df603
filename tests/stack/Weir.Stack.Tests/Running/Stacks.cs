namespace Weir.Stack.Tests.Running;

/// <summary>
/// The stacks that tests share. One is up at a time; asking for another takes the first one down. When one does not come up, every test that
/// needs it fails with the reason, and nobody waits for it again. What is left when a run is interrupted, run.sh removes.
/// </summary>
public sealed class Stacks : IAsyncLifetime
{
    private readonly string _prefix = Environment.GetEnvironmentVariable("WEIR_STACK_PREFIX") ?? $"weirtest{Environment.ProcessId}";
    private readonly string _folder = Environment.GetEnvironmentVariable("WEIR_STACK_FOLDER") ?? Path.Combine(Path.GetTempPath(), $"weirtest{Environment.ProcessId}");
    private readonly Dictionary<string, Exception> _broken = [];
    private ComposeStack? _development;
    private ComposeStack? _production;
    private ComposeStack? _up;

    /// <summary>compose.yaml with compose.override.yaml, as a plain <c>docker compose up</c> takes them.</summary>
    internal ComposeStack Development => _development ??= new ComposeStack(Copied(), _prefix, "dev", ["compose.yaml", "compose.override.yaml"]);

    /// <summary>compose.yaml with production's and the scale's files, and three instances.</summary>
    internal ComposeStack Production => _production ??= new ComposeStack(
        Copied(),
        _prefix,
        "prod",
        ["compose.yaml", "compose.prod.yaml", "compose.scale.yaml", "tests/stack/compose.test.yaml"],
        ("API_REPLICAS", "3"),
        ("SECRETS_DIR", Path.Combine(Copied(), "secrets")));

    /// <summary>Development, up and healthy.</summary>
    internal Task<ComposeStack> DevelopmentAsync() => UseAsync(Development, static async stack =>
    {
        await stack.BuildAsync();
        await stack.UpAsync();
    });

    /// <summary>Production, up and healthy.</summary>
    internal Task<ComposeStack> ProductionAsync() => UseAsync(Production, static async stack =>
    {
        await stack.MakeAsync("secrets");
        await stack.BuildAsync();
        await stack.UpAsync();
    });

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_up is not null)
            await _up.DownAsync();
    }

    private async Task<ComposeStack> UseAsync(ComposeStack stack, Func<ComposeStack, Task> up)
    {
        if (_broken.TryGetValue(stack.Project, out var reason))
            Assert.Fail($"The stack did not come up: {reason.Message}");
        if (_up == stack)
            return stack;
        if (_up is not null)
            await _up.DownAsync();
        _up = stack;
        try
        {
            await up(stack);
            return stack;
        }
        catch (Exception e)
        {
            _broken[stack.Project] = e;
            throw;
        }
    }

    private string Copied()
    {
        var folder = Path.Combine(_folder, "repository");
        return Directory.Exists(folder) ? folder : Checkout.Copy(folder);
    }
}
