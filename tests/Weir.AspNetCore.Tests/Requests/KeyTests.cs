using System.Net;
using System.Security.Claims;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.DependencyInjection;
using Weir.AspNetCore.Tests.Running;

namespace Weir.AspNetCore.Tests.Requests;

/// <summary>Who shares a limit.</summary>
public sealed class KeyTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly Limit Any = Limit.Create("any", 1, Hour);

    [Theory]
    [InlineData("203.0.113.7", 64, "203.0.113.7")]
    [InlineData("::ffff:203.0.113.7", 64, "203.0.113.7")]
    [InlineData("2001:db8:1:2:3:4:5:6", 64, "2001:db8:1:2::/64")]
    [InlineData("2001:db8:1:2:ffff::", 64, "2001:db8:1:2::/64")]
    [InlineData("2001:db8:1:2ff:3:4:5:6", 56, "2001:db8:1:200::/56")]
    [InlineData("2001:db8:1:2:3:4:5:6", 128, "2001:db8:1:2:3:4:5:6")]
    [InlineData("2001:db8:1:2:3:4:5:6", 127, "2001:db8:1:2:3:4:5:6::/127")]
    [InlineData("2001:db8::", 16, "2001::/16")]
    [InlineData(null, 64, "unknown")]
    public void Address_IsGroupedByPrefix(string? address, int prefix, string expected)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = address is null ? null : IPAddress.Parse(address);

        Assert.Equal(expected, KeyOf(new KeySource(LimitBy.Address, null, "X-Api-Key", prefix), context));
    }

    [Fact]
    public void User_IsNeverTakenForAnAddress()
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Parse("203.0.113.7");
        var source = new KeySource(LimitBy.User, null, "X-Api-Key", 64);

        Assert.Equal("address:203.0.113.7", KeyOf(source, context));
        context.User = UserNamed(ClaimTypes.Name, "address:203.0.113.7");
        Assert.Equal("user:address:203.0.113.7", KeyOf(source, context));
        context.User = UserNamed(ClaimTypes.NameIdentifier, "17");
        Assert.Equal("user:17", KeyOf(source, context));
        context.User = UserNamed("sub", "18");
        Assert.Equal("user:18", KeyOf(source, context));
        context.User = new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, "nobody checked")]));
        Assert.Equal("address:203.0.113.7", KeyOf(source, context));
    }

    [Fact]
    public void ApiKey_IsKeptAsAHash()
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Loopback;
        var source = new KeySource(LimitBy.ApiKey, null, "X-Api-Key", 64);

        Assert.Equal("address:127.0.0.1", KeyOf(source, context));
        context.Request.Headers["X-Api-Key"] = "secret";
        Assert.Equal("key:2bb80d537b1da3e38bd30361aa855686", KeyOf(source, context));
    }

    [Fact]
    public void Function_SaysWhoSharesAndWhoIsExempt()
    {
        var source = new KeySource(default, static c => c.Request.Headers["X-Tenant"], "X-Api-Key", 64);
        var context = new DefaultHttpContext();

        Assert.Null(KeyOf(source, context));
        context.Request.Headers["X-Tenant"] = "acme";
        Assert.Equal("acme", KeyOf(source, context));
        context.Request.Headers["X-Tenant"] = new string('x', 600);
        Assert.Equal("sha256:" + Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(new string('x', 600)))), KeyOf(source, context));
    }

    [Fact]
    public async Task Users_HaveALimitEach()
    {
        await using var app = await TestApp.StartAsync(
            s => s.AddWeir(o => o.AddLimit("mine", 1, Hour, LimitBy.User)),
            a => a.MapGet("/", () => "").RequireLimit("mine"),
            before: a => a.Use((context, next) =>
            {
                if (context.Request.Headers["X-User"] is { Count: > 0 } user)
                    context.User = UserNamed(ClaimTypes.Name, user!);
                return next(context);
            }));

        Assert.Equal("200 429", await app.StatusesAsync(2, "/", ("X-User", "alice")));
        Assert.Equal("200 429", await app.StatusesAsync(2, "/", ("X-User", "bob")));
        Assert.Equal("200 429", await app.StatusesAsync(2, "/"));
    }

    [Fact]
    public async Task ForwardedFor_WithoutItsMiddleware_ChangesNothingAndIsToldOnce()
    {
        await using var app = await TestApp.StartAsync(
            s => s.AddWeir(o => o.AddLimit("login", 2, Hour)), a => a.MapGet("/", () => "").RequireLimit("login"));

        var statuses = new List<int>();
        for (var i = 0; i < 5; i++)
            statuses.Add(await app.StatusAsync("/", ("X-Forwarded-For", $"203.0.113.{i}"), ("X-Real-IP", $"203.0.113.{i}"), ("Forwarded", $"for=203.0.113.{i}")));

        Assert.Equal([200, 200, 429, 429, 429], statuses);
        Assert.Contains("UseForwardedHeaders", Assert.Single(app.Logs.Lines));
    }

    [Fact]
    public async Task ForwardedFor_OfAKnownProxy_NamesTheClient()
    {
        await using var app = await TestApp.StartAsync(
            s => s.AddWeir(o => o.AddLimit("login", 1, Hour)),
            a => a.MapGet("/", () => "").RequireLimit("login"),
            before: a => a.UseForwardedHeaders(new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor }));

        Assert.Equal("200 429", await app.StatusesAsync(2, "/", ("X-Forwarded-For", "203.0.113.1")));
        Assert.Equal("200 429", await app.StatusesAsync(2, "/", ("X-Forwarded-For", "203.0.113.2")));
        // What the client wrote before the proxy is not believed.
        Assert.Equal(429, await app.StatusAsync("/", ("X-Forwarded-For", "203.0.113.9, 203.0.113.2")));
        Assert.Empty(app.Logs.Lines);
    }

    private static ClaimsPrincipal UserNamed(string claim, string name) => new(new ClaimsIdentity([new Claim(claim, name)], "test"));

    private static string? KeyOf(KeySource source, HttpContext context)
    {
        var check = PendingCheck.Rent();
        try
        {
            return source.TryAdd(check, Any, context, 1, false) ? Encoding.UTF8.GetString(check.KeyOf(check.Entries[0])) : null;
        }
        finally
        {
            check.Release();
        }
    }
}
