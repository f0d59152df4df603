using System.IO.Compression;
using System.Xml.Linq;

namespace Weir.Packaging.Tests;

/// <summary>What is in the packages.</summary>
public sealed class PackagesTests(Workplace workplace)
{
    // YamlDotNet is Weir.Core's; that versions are pinned in one place makes it a dependency of all that build on it.
    [Theory]
    [InlineData("Weir.Core", "YamlDotNet")]
    [InlineData("Weir.Resp", "")]
    [InlineData("Weir.Redis", "Weir.Core Weir.Resp YamlDotNet")]
    [InlineData("Weir.AspNetCore", "Weir.Core Weir.Redis YamlDotNet")]
    public void Package_HasWhatItsUsersNeedAndNothingElse(string name, string dependencies)
    {
        using var package = ZipFile.OpenRead(Path.Combine(workplace.Feed, $"{name}.{workplace.Version}.nupkg"));
        var files = package.Entries.Select(e => e.FullName).Where(f => !f.StartsWith("_rels/") && !f.StartsWith("package/") && f != "[Content_Types].xml");
        Assert.Equal(["README.md", $"{name}.nuspec", $"lib/net10.0/{name}.dll", $"lib/net10.0/{name}.xml"], files.Order(StringComparer.Ordinal));
        Assert.True(package.GetEntry($"lib/net10.0/{name}.xml")!.Length > 1_000);

        using var stream = package.GetEntry($"{name}.nuspec")!.Open();
        var nuspec = XDocument.Load(stream).Root!;
        Assert.Equal("Apache-2.0", Text(nuspec, "license"));
        Assert.Equal("README.md", Text(nuspec, "readme"));
        Assert.True(Text(nuspec, "description").Length > 20);
        var needed = nuspec.Descendants().Where(e => e.Name.LocalName == "dependency").ToList();
        Assert.Equal(dependencies, string.Join(' ', needed.Select(d => d.Attribute("id")!.Value).Order(StringComparer.Ordinal)));
        Assert.All(needed.Where(d => d.Attribute("id")!.Value.StartsWith("Weir.")), d => Assert.Equal(workplace.Version, d.Attribute("version")!.Value));
        Assert.Equal(name == "Weir.AspNetCore", nuspec.Descendants().Any(e => e.Name.LocalName == "frameworkReference"));
    }

    [Fact]
    public void Symbols_ComeBeside()
    {
        foreach (var name in Workplace.Names)
        {
            using var package = ZipFile.OpenRead(Path.Combine(workplace.Feed, $"{name}.{workplace.Version}.snupkg"));
            Assert.NotNull(package.GetEntry($"lib/net10.0/{name}.pdb"));
        }
    }

    [Fact]
    public void Packages_AreTheLibrariesAndNothingElse() =>
        Assert.Equal(
            Workplace.Names.Select(n => $"{n}.{workplace.Version}.nupkg").Order(StringComparer.Ordinal),
            Directory.GetFiles(workplace.Feed, "*.nupkg").Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal));

    private static string Text(XElement nuspec, string name) => nuspec.Descendants().Single(e => e.Name.LocalName == name).Value;
}
