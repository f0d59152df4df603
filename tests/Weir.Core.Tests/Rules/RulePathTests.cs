namespace Weir.Core.Tests.Rules;

public sealed class RulePathTests
{
    [Theory]
    [InlineData("", "user", null, "user")]
    [InlineData("", "user", "alice", "user=alice")]
    [InlineData("user=alice", "path", null, "user=alice/path")]
    [InlineData("user=alice", "path", "/login", "user=alice/path=%2Flogin")]
    [InlineData("", "a=b", "c=d", "a%3Db=c=d")]
    [InlineData("", "50%", "ä\n", "50%25=%C3%A4%0A")]
    public void Append_EscapesWhatWouldBeAmbiguous(string parent, string key, string? value, string expected) =>
        Assert.Equal(expected, RulePath.Append(parent, key, value));

    [Fact]
    public void Append_DifferentPlaces_NeverHaveTheSamePath()
    {
        string[] parts = ["a", "b", "a=b", "a/b", "/", "=", "%", "%2F", "%3D", "ä", "%C3%A4"];
        var paths = from key in parts
                    from value in parts.Append(null!)
                    from child in parts.Append(null!)
                    let parent = RulePath.Append("", key, value)
                    select child is null ? parent : RulePath.Append(parent, child, null);

        Assert.All(paths.GroupBy(p => p), g => Assert.Single(g));
    }

    [Fact]
    public void ToName_OfALongPath_FitsAndStaysDifferent()
    {
        var first = RulePath.ToName(new string('x', 500) + "1");
        var second = RulePath.ToName(new string('x', 500) + "2");

        Assert.Equal((128, 128), (first.Length, second.Length));
        Assert.NotEqual(first, second);
        Assert.Equal(new string('x', 128), RulePath.ToName(new string('x', 128)));
    }
}
