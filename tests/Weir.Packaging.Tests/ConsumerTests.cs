using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Weir.Packaging.Tests;

/// <summary>An application that knows Weir from its packages only.</summary>
public sealed partial class ConsumerTests(Workplace workplace)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private const string Project = """
        <Project Sdk="Microsoft.NET.Sdk.Web">
          <PropertyGroup>
            <TargetFramework>net10.0</TargetFramework>
            <Nullable>enable</Nullable>
            <ImplicitUsings>enable</ImplicitUsings>
            <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
            <UseAppHost>false</UseAppHost>
          </PropertyGroup>
          <ItemGroup>
            <PackageReference Include="Weir.AspNetCore" Version="[VERSION]" />
          </ItemGroup>
        </Project>
        """;

    // Beside the sources that this machine uses anyway.
    private const string NuGetConfig = """
        <configuration>
          <packageSources>
            <add key="packed-for-this-test" value="feed" />
          </packageSources>
        </configuration>
        """;

    [Fact]
    public async Task Application_FromPackages_SharesALimitWithItsOtherInstance()
    {
        await workplace.WriteAsync("Program.cs", Program(workplace.ReadmeCode("Weir.AspNetCore")));
        await workplace.WriteAsync("CoreReadme.cs", Method(workplace.ReadmeCode("Weir.Core")));
        await workplace.WriteAsync("nuget.config", NuGetConfig);
        await workplace.WriteAsync("consumer.csproj", Project.Replace("VERSION", workplace.Version));
        await workplace.RunAsync("build", "consumer.csproj", "-o", "out", "-v", "quiet", "-nodeReuse:false", "-p:UseSharedCompilation=false", "-p:RunAnalyzers=false");

        using var node = workplace.Start(Workplace.Node, "serve", "--listen-address", "127.0.0.1", "--node-port", "0");
        Process? one = null, two = null;
        try
        {
            var address = await AddressAsync(node);
            one = workplace.Start(Path.Combine("out", "consumer.dll"), address);
            two = workplace.Start(Path.Combine("out", "consumer.dll"), address);
            Assert.Equal("4 left", await one.StandardOutput.ReadLineAsync().WaitAsync(Patience));
            var instances = new[] { await AddressAsync(one), await AddressAsync(two) };
            using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Patience };
            var statuses = new List<int>();
            for (var i = 0; i < 24; i++)
            {
                using var response = await client.GetAsync(instances[i % 2]);
                statuses.Add((int)response.StatusCode);
            }
            Assert.Equal(Enumerable.Repeat(200, 10).Concat(Enumerable.Repeat(429, 14)), statuses);
        }
        finally
        {
            foreach (var process in new[] { one, two })
            {
                process?.Kill();
                process?.Dispose();
            }
            node.Kill();
        }
    }

    /// <summary>The application of the README, counted by a node, with a limit that a test can reach, and a client that keeps to limits.</summary>
    private static string Program(string readme)
    {
        foreach (var (from, to) in new[]
        {
            ("permits: 100, window: TimeSpan.FromMinutes(1)", "permits: 10, window: TimeSpan.FromHours(1)"),
            (".UseRedis(\"redis://localhost:6379\")", ".UseNodes(nodes => { nodes.Addresses.Add(args[0]); nodes.Timeout = TimeSpan.FromSeconds(30); })"),
            ("var app =", "builder.Services.AddHttpClient(\"theirs\").AddWeirHandler();\nvar app ="),
            ("app.Run();", "await CoreReadme.RunAsync();\napp.Run(\"http://127.0.0.1:0\");"),
        })
        {
            Assert.Contains(from, readme);
            readme = readme.Replace(from, to);
        }
        return readme;
    }

    /// <summary>The README's statements as a method.</summary>
    private static string Method(string readme)
    {
        var lines = readme.Split('\n');
        var usings = lines.TakeWhile(static l => l.StartsWith("using ", StringComparison.Ordinal)).ToList();
        return $"{string.Join('\n', usings)}\nstatic class CoreReadme\n{{\npublic static async Task RunAsync()\n{{\n{string.Join('\n', lines.Skip(usings.Count))}\n}}\n}}\n";
    }

    /// <summary>The first address that a process says it listens on.</summary>
    private static async Task<string> AddressAsync(Process process)
    {
        _ = process.StandardError.ReadToEndAsync();
        using var patience = new CancellationTokenSource(Patience);
        while (await process.StandardOutput.ReadLineAsync(patience.Token) is { } line)
        {
            if (Address().Match(line) is not { Success: true } match)
                continue;
            // Nobody reads on, but the process must be able to write.
            _ = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
            return match.Value;
        }
        throw new InvalidOperationException("The process ended without listening.");
    }

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+", RegexOptions.NonBacktracking)]
    private static partial Regex Address();
}
