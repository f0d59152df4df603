namespace Weir.Cli.Tests;

/// <summary>Runs the command line within the test's process.</summary>
internal static class Cli
{
    public static async Task<(int ExitCode, string Output, string Errors)> RunAsync(params string[] args)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var errors = new StringWriter { NewLine = "\n" };
        var exitCode = await WeirCommand.RunAsync(args, output, errors);
        return (exitCode, output.ToString(), errors.ToString());
    }
}
