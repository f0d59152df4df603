using Weir.Server.Configuration;

namespace Weir.Server.Tests.Configuration;

public sealed class NodeOptionsTests
{
    private static readonly Setting Port = NodeSettings.NodePort;

    [Fact]
    public void TextOf_WhenNothingIsGiven_IsTheDefault()
    {
        var options = NodeOptions.From([]);

        Assert.Equal(("8000", SettingSource.Default), (options.TextOf(Port), options.SourceOf(Port)));
        Assert.Null(options.TextOf(NodeSettings.AdminToken));
    }

    [Fact]
    public void TextOf_WhenVariableAndFlagAreGiven_IsTheFlag()
    {
        var options = NodeOptions.From([new("RATELIMITER_NODE_PORT", "1"), new("RATELIMITER_NODE_ID", "a")], [new("--node-port", "2")]);

        Assert.Equal(("2", SettingSource.Flag), (options.TextOf(Port), options.SourceOf(Port)));
        Assert.Equal(("a", SettingSource.Environment), (options.TextOf(NodeSettings.NodeId), options.SourceOf(NodeSettings.NodeId)));
    }

    [Theory]
    [InlineData("", "8000")]
    [InlineData("  ", "8000")]
    [InlineData(" 9000 ", "9000")]
    public void TextOf_AVariableThatIsEmptyOrPadded_IsTrimmedAndEmptyMeansTheDefault(string value, string expected) =>
        Assert.Equal(expected, NodeOptions.From([new("RATELIMITER_NODE_PORT", value)]).TextOf(Port));

    [Fact]
    public void TextOf_AnEmptyFlag_TakesTheVariableBack() =>
        Assert.Null(NodeOptions.From([new("RATELIMITER_ADMIN_TOKEN", "secret")], [new("--admin-token", "")]).TextOf(NodeSettings.AdminToken));

    [Theory]
    [InlineData("RATELIMITER_NODE_PROT", "Did you mean RATELIMITER_NODE_PORT?")]
    [InlineData("RATELIMITER_PORT", "Did you mean RATELIMITER_NODE_PORT?")]
    [InlineData("RATELIMITER_node_id", "Did you mean RATELIMITER_NODE_ID?")]
    [InlineData("RATELIMITER_DEFAULT_WINDOW", "Did you mean RATELIMITER_DEFAULT_WINDOW_MS?")]
    [InlineData("RATELIMITER_SOMETHING_ELSE", "Remove it; weir serve --help lists every setting.")]
    [InlineData("RATELIMITER_", "Remove it; weir serve --help lists every setting.")]
    public void Warnings_NameVariablesThatNoSettingHas(string name, string cure) =>
        Assert.Equal([$"{name} is not a setting and is ignored. {cure}"], NodeOptions.From([new(name, "x")]).Warnings);

    [Theory]
    [InlineData("PATH", "/bin")]
    [InlineData("RATELIMITER_NODE_ID", "a")]
    [InlineData("RATELIMITER_SERVICE_HOST", "10.0.0.1")]
    [InlineData("RATELIMITER_PORT", "tcp://10.0.0.1:8000")]
    [InlineData("RATELIMITER_PORT_8000_TCP_ADDR", "10.0.0.1")]
    public void Warnings_AreSilentAboutOtherVariables(string name, string value) =>
        Assert.Empty(NodeOptions.From([new(name, value)]).Warnings);

    [Fact]
    public void From_AFlagThatDoesNotExist_Throws() =>
        Assert.Throws<ArgumentException>(() => NodeOptions.From([], [new("--node-prot", "1")]));

    [Fact]
    public void Settings_HaveUniqueNamesAndADefaultOrANote()
    {
        Assert.Equal(NodeSettings.All.Count, NodeSettings.All.Select(s => s.Name).Distinct().Count());
        Assert.All(NodeSettings.All, s => Assert.True(s.Default is not null || s.DefaultNote is not null, s.Name));
        Assert.All(NodeSettings.All, s => Assert.Matches("^--[a-z]+(-[a-z]+)*$", s.Flag));
    }
}
