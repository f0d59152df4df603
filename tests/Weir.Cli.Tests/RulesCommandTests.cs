namespace Weir.Cli.Tests;

public sealed class RulesCommandTests
{
    [Fact]
    public async Task Validate_AFileThatIsMissing_Fails()
    {
        var (exitCode, _, errors) = await Cli.RunAsync("rules", "validate", "/no/such/rules.yaml");

        Assert.NotEqual(0, exitCode);
        Assert.Contains("/no/such/rules.yaml", errors);
    }

    [Fact]
    public async Task ValidateAndExplain_AFileOfRules_Succeed()
    {
        var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():n}.yaml");
        await File.WriteAllTextAsync(path, "domain: api\ndescriptors:\n  - key: user\n    rate_limit:\n      unit: minute\n      requests_per_unit: 5\n");
        try
        {
            var validated = await Cli.RunAsync("rules", "validate", path);
            var explained = await Cli.RunAsync("rules", "explain", path, "--domain", "api", "user=alice");

            Assert.Equal((0, ""), (validated.ExitCode, validated.Errors));
            Assert.Equal((0, ""), (explained.ExitCode, explained.Errors));
            Assert.NotEqual("", explained.Output);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
