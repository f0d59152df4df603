using Weir.Server.Rules;

namespace Weir.Server.Tests.Rules;

public sealed class RulesCommandsTests : IDisposable
{
    private const string Good = """
        domain: default
        descriptors:
          - key: user
            rate_limit: { limit: 1000, window: 1h30m, failure: open }
          - key: user
            value: "vip*"
            shadow_mode: true
            rate_limit: { name: vip, algorithm: token-bucket, limit: 10, window: 1s, burst: 50, replaces: [{ name: lost }] }
          - key: user
            value: root
          - key: bad
            rate_limit: { unit: day }
          - key: job
            quota_mode: true
            rate_limit: { algorithm: concurrency, limit: 3, window: 30s }
          - key: bill
            rate_limit: { limit: 5, calendar: month, time_zone: Europe/Berlin }
          - key: free
            rate_limit: { unlimited: true }
        ---
        domain: idle
        descriptors: []
        """;

    private readonly RulesFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static (int ExitCode, string Output, string Error) Run(Func<TextWriter, TextWriter, int> command)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var exitCode = command(output, error);
        return (exitCode, output.ToString(), error.ToString());
    }

    private static (int ExitCode, string Output, string Error) Explain(string path, string domain, params string[] pairs) =>
        Run((output, error) => RulesCommands.Explain(path, domain, pairs, output, error));

    private static (int ExitCode, string Output, string Error) Validate(string path) =>
        Run((output, error) => RulesCommands.Validate(path, output, error));

    [Fact]
    public void Validate_GoodRules_ShowsThem()
    {
        var path = _folder.Write("rules.yaml", Good);

        var (exitCode, output, error) = Validate(path);

        Assert.Equal((0, ""), (exitCode, error));
        Assert.Equal($"""
            warning: {path}:8:89: No rule of domain 'default' is named 'lost', so replacing it has no effect.
            domain default
              user  1,000 per 1h30m, sliding-window, open on failure
              vip   10 per 1s, token-bucket, burst 50, shadow: never refuses, replaces lost
              bad   refuses everything, fixed-window
              job   3 at once, leases of 30s, concurrency, quota
              bill  5 per calendar month in Europe/Berlin, fixed-window
              free  unlimited
            domain idle
              no rules: nothing is limited
            OK: 1 file, 2 domains, 6 rules.

            """, output);
    }

    [Fact]
    public void Validate_BadRules_ShowsEveryProblemAtItsLine()
    {
        var path = _folder.Write("a.yaml", "domain: d\ndescriptors:\n  - key: user\n    rate_limit: { limit: 1.5, window: 1m }\n  - value: x\n");
        File.WriteAllBytes(_folder.PathOf("b.yaml"), [0xFF]);

        var (exitCode, output, error) = Validate(_folder.Root);

        Assert.Equal((1, ""), (exitCode, output));
        Assert.Equal($$"""
            {{_folder.PathOf("b.yaml")}}: Byte 0 (0xFF) is not UTF-8. Save the file as UTF-8.
            {{path}}:4:26: limit '1.5' must be a whole number from 0 to 4,294,967,295. Fractions are not allowed.
                    rate_limit: { limit: 1.5, window: 1m }
                                         ^
            {{path}}:5:5: This descriptor has no key. Add key, such as key: user.
                  - value: x
                    ^
            3 problems in 2 files.

            """, error);
    }

    [Fact]
    public void Validate_NoSuchPath_IsAProblem()
    {
        Assert.Equal((1, "", "/no/such.yaml: There is no such file or folder. Check the path.\n1 problem in 1 file.\n"), Validate("/no/such.yaml"));
        Assert.Equal((2, "", "path is empty. Name a YAML file, or a folder of them.\n"), Validate(""));
    }

    [Fact]
    public void Explain_Match_ShowsTheWayAndTheRule()
    {
        var path = _folder.Write("rules.yaml", Good);

        var (exitCode, output, error) = Explain(path, "default", "user=vip7");

        Assert.Equal((0, ""), (exitCode, error));
        Assert.Equal($"""
            1. user=vip7: takes user=vip* ({path}:5)
                 No exact value 'vip7' stands here, and this pattern is the first in the file that fits.
                 Not user ({path}:3): a key without a value is the last resort.
            2. Rule 'vip' applies

            Rule 'vip': 10 per 1s, token-bucket, burst 50, shadow: never refuses, replaces lost.

            """, output);
    }

    [Theory]
    [InlineData("default", "user=root", 0, "\nExempt: no limit applies.\n")]
    [InlineData("default", "usr=root", 1, "\nNo rule applies.\n")]
    [InlineData("defualt", "user=root", 1, "\nNo rule applies.\n")]
    [InlineData("default", "user", 0, "\nRule 'user': 1,000 per 1h30m, sliding-window, open on failure.\n")]
    public void Explain_ExitCode_SaysWhetherTheRulesHaveAnAnswer(string domain, string pair, int expected, string end)
    {
        var (exitCode, output, _) = Explain(_folder.Write("rules.yaml", Good), domain, pair);

        Assert.Equal(expected, exitCode);
        Assert.EndsWith(end, output, StringComparison.Ordinal);
    }

    [Fact]
    public void Explain_BadArguments_AreUsageErrors()
    {
        var path = _folder.Write("rules.yaml", Good);

        Assert.Equal((2, "", "No entry is given. Name at least one, such as user=alice.\n"), Explain(path, "default"));
        Assert.Equal((2, "", "'=x' has no key before '='. Write key=value, such as user=alice.\n"), Explain(path, "default", "a=b", "=x"));
        Assert.Equal(2, Explain(path, "default", "a=" + new string('x', 513)).ExitCode);
        Assert.Equal(1, Explain(_folder.Write("bad.yaml", "nonsense"), "default", "a=b").ExitCode);
    }
}
