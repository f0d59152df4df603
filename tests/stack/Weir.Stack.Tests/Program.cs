using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit.Runner.InProc.SystemConsole;

namespace Weir.Stack.Tests;

/// <summary>Runs the tests whose id was asked for, all without arguments, and prints a line per id.</summary>
internal static partial class Program
{
    public static async Task<int> Main(string[] args)
    {
        var tests = Tests().Where(t => args.Length == 0 || args.Any(a => IsAskedFor(t.Id, a))).ToList();
        if (tests.Count == 0)
        {
            await Console.Error.WriteLineAsync($"No test has the id {string.Join(" or ", args)}. There are: {string.Join(' ', Tests().Select(static t => t.Id).Distinct())}.");
            return 2;
        }
        var report = Path.GetTempFileName();
        try
        {
            var status = await ConsoleRunner.Run(["-noLogo", "-noColor", "-xml", report, .. tests.SelectMany(static t => new[] { "-method", t.Method })]);
            return Table.Print(XDocument.Load(report)) && status == 0 ? 0 : 1;
        }
        finally
        {
            File.Delete(report);
        }
    }

    /// <summary>The id that a test's name begins with, such as <c>A1</c> of <c>A1_EverythingComesUp</c>.</summary>
    internal static string IdOf(string method) => Id().Match(method).Value;

    private static IEnumerable<(string Id, string Method)> Tests() =>
        from type in typeof(Program).Assembly.GetTypes()
        from method in type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
        where method.GetCustomAttribute<FactAttribute>() is not null
        select (IdOf(method.Name), $"{type.FullName}.{method.Name}");

    // "E1" is one test, "E" a group.
    private static bool IsAskedFor(string id, string asked) =>
        id.Equals(asked, StringComparison.OrdinalIgnoreCase) || (asked.Length == 1 && id.StartsWith(asked, StringComparison.OrdinalIgnoreCase));

    [GeneratedRegex("^[A-Z][0-9]+", RegexOptions.NonBacktracking)]
    private static partial Regex Id();
}
