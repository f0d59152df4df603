using System.Text;

namespace Weir.Core.Tests.Decisions;

public class CounterLabelTests
{
    [Theory]
    [InlineData("")]
    [InlineData("alice")]
    [InlineData("naïve ключ 🔑")]
    [InlineData("a=b, c=d")]
    [InlineData("\0\u0001\r\n{tag}")]
    public void Key_RoundTrips(string key)
    {
        Assert.Equal(key, CounterLabel.Format(CounterLabel.OfKey(key)));
        var buffer = new byte[64];
        var written = CounterLabel.WriteKey(Encoding.UTF8.GetBytes(key), buffer);
        Assert.Equal(CounterLabel.OfKey(key), buffer[..written]);
    }

    [Fact]
    public void Descriptor_ReadsAsPeopleWriteIt()
    {
        Assert.Equal("user=alice, path=/login", Show(("user", "alice"), ("path", "/login")));
        Assert.Equal("generic_key", Show(("generic_key", "")));
        Assert.Equal("k=ключ", Show(("k", "ключ")));
    }

    [Fact]
    public void DifferentDescriptors_HaveDifferentBytes()
    {
        var labels = new[]
        {
            CounterLabel.OfKey("a=b"), Of(("a", "b")), Of(("a=b", "")), Of(("a", ""), ("b", "")), Of(("a", "b"), ("", "")), Of(("ab", "")), Of(("", "ab")),
            CounterLabel.OfKey("ab"), CounterLabel.OfKey(""), Of(),
        };
        Assert.Equal(labels.Length, labels.Select(Convert.ToHexString).Distinct().Count());
    }

    [Fact]
    public void NoLabel_ReadsAsNothing() => Assert.Equal("", CounterLabel.Format(default));

    private static string Show(params (string, string)[] entries) => CounterLabel.Format(Of(entries));

    private static byte[] Of(params (string, string)[] entries) => CounterLabel.OfDescriptor([.. entries.Select(e => new DescriptorEntry(e.Item1, e.Item2))]);
}
