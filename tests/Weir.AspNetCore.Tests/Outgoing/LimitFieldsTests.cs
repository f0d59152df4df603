using System.Net;
using Weir.AspNetCore.Outgoing.Fields;

namespace Weir.AspNetCore.Tests.Outgoing;

public sealed class LimitFieldsTests
{
    // 2026-01-01T00:00:00Z is 1767225600.
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("RateLimit: \"default\";r=50;t=30", null, 50, 30)]
    [InlineData("RateLimit: \"default\";r=0;t=30", 30, 0, 30)]
    [InlineData("RateLimit: default;r=0;t=30", 30, 0, 30)]
    [InlineData("RateLimit: \"a\";r=5;t=1, \"b\";r=2;t=60, \"c\";r=9;t=9", null, 2, 60)]
    [InlineData("RateLimit: \"a\";r=0;t=1, \"b\";r=0;t=60, \"c\";r=9;t=9", 60, 0, 60)]
    [InlineData("RateLimit: \"a\";r=3;t=1|RateLimit: \"b\";r=2;t=7", null, 2, 7)]
    [InlineData("RateLimit: \"a\";r=0|RateLimit-Policy: \"a\";q=10;w=60", 60, 0, 60)]
    [InlineData("RateLimit: \"a\";r=0;t=5;pk=:aGk=:;acme=1.5|RateLimit-Policy: \"a\";q=10;w=60;qu=\"requests\"", 5, 0, 5)]
    [InlineData("RateLimit: \"a\";r=0;t=5, \"b\";r=7;t=8|RateLimit-Policy: \"a\";q=10;qu=\"content-bytes\", \"b\";q=10", null, 7, 8)]
    [InlineData("RateLimit: \"a\";r=0;t=5|RateLimit-Policy: \"a\";q=10;qu=\"concurrent-requests\"", null, null, null)]
    [InlineData("RateLimit: limit=10, remaining=4, reset=20", null, 4, 20)]
    [InlineData("RateLimit: limit=10, remaining=0, reset=20", 20, 0, 20)]
    [InlineData("RateLimit-Limit: 10, 10;w=60|RateLimit-Remaining: 0|RateLimit-Reset: 20", 20, 0, 20)]
    [InlineData("RateLimit-Remaining: 3|RateLimit-Reset: 20", null, 3, 20)]
    [InlineData("X-RateLimit-Remaining: 0|X-RateLimit-Reset: 20", 20, 0, 20)]
    [InlineData("X-RateLimit-Remaining: 0|X-RateLimit-Reset: 1767225642", 42, 0, 42)]
    [InlineData("X-RateLimit-Remaining: 0|X-RateLimit-Reset: 1767225642500", 42.5, 0, 42.5)]
    [InlineData("X-RateLimit-Remaining: 0|X-RateLimit-Reset: 1767225000", 0, 0, 0)]
    [InlineData("X-RateLimit-Remaining: 0|X-RateLimit-Reset: 2026-01-01T00:00:42Z", 42, 0, 42)]
    [InlineData("X-RateLimit-Remaining: 0|X-RateLimit-Reset: 0.5", 0.5, 0, 0.5)]
    [InlineData("X-Rate-Limit-Remaining: 0|X-Rate-Limit-Reset: 9", 9, 0, 9)]
    // The clock of who wrote a date counts, where it is known.
    [InlineData("X-RateLimit-Remaining: 0|X-RateLimit-Reset: 1767225642|Date: Thu, 01 Jan 2026 00:00:40 GMT", 2, 0, 2)]
    // The newer standard counts.
    [InlineData("RateLimit: \"a\";r=1;t=2|RateLimit-Remaining: 0|RateLimit-Reset: 9|X-RateLimit-Remaining: 0|X-RateLimit-Reset: 8", null, 1, 2)]
    [InlineData("RateLimit-Remaining: 1|RateLimit-Reset: 2|X-RateLimit-Remaining: 0|X-RateLimit-Reset: 8", null, 1, 2)]
    // What cannot be understood is as if it were not there.
    [InlineData("RateLimit: \"a\";r=0;t=|X-RateLimit-Remaining: 0|X-RateLimit-Reset: 8", 8, 0, 8)]
    [InlineData("RateLimit: \"a\";r=-1;t=5", null, null, null)]
    [InlineData("RateLimit: \"a\";r=1.5;t=5", null, null, null)]
    [InlineData("RateLimit: \"a\";r=0;t=5,", null, null, null)]
    [InlineData("RateLimit: r=0;t=5", null, null, null)]
    [InlineData("X-RateLimit-Remaining: none|X-RateLimit-Reset: soon", null, null, null)]
    [InlineData("X-RateLimit-Remaining: -1|X-RateLimit-Reset: -5", null, null, null)]
    [InlineData("X-RateLimit-Remaining: 0", null, 0, null)]
    [InlineData("Retry-After: 7", null, null, null)]
    [InlineData("Server: x", null, null, null)]
    public void Read_OfASuccess_TellsWhatRemainsAndWhen(string fields, object? closed, object? remaining, object? reset) =>
        Check(HttpStatusCode.OK, fields, closed, remaining, reset);

    [Theory]
    [InlineData(429, "Retry-After: 7", 7)]
    [InlineData(503, "Retry-After: 7", 7)]
    [InlineData(500, "Retry-After: 7", null)]
    [InlineData(429, "Retry-After: 0", 0)]
    [InlineData(429, "Retry-After: 1.5", 1.5)]
    [InlineData(429, "Retry-After: Thu, 01 Jan 2026 00:01:00 GMT", 60)]
    [InlineData(429, "Retry-After: Thursday, 01-Jan-26 00:01:00 GMT", 60)]
    [InlineData(429, "Retry-After: Thu Jan  1 00:01:00 2026", 60)]
    [InlineData(429, "Retry-After: Thu, 01 Jan 2026 00:01:00 GMT|Date: Thu, 01 Jan 2026 00:00:50 GMT", 10)]
    [InlineData(429, "Retry-After: Wed, 31 Dec 2025 00:00:00 GMT", 0)]
    [InlineData(429, "Retry-After: 99999999999999999999", 3e9)]
    [InlineData(429, "Retry-After: -7", null)]
    [InlineData(429, "Retry-After: tomorrow", null)]
    [InlineData(429, "Retry-After: 7|RateLimit: \"a\";r=0;t=90", 7)]
    [InlineData(429, "RateLimit: \"a\";r=0;t=90", 90)]
    [InlineData(429, "X-RateLimit-Reset: 12", 12)]
    [InlineData(429, "", null)]
    public void Read_OfARefusal_TellsWhenToComeBack(int status, string fields, object? closed)
    {
        var hint = LimitFields.Read(Response((HttpStatusCode)status, fields), Now);
        Assert.Equal(Number(closed), hint.ClosedFor?.TotalSeconds);
    }

    [Fact]
    public void Read_OfBrokenFields_IsNeverAnException()
    {
        string[] names = ["Retry-After", "RateLimit", "RateLimit-Policy", "RateLimit-Remaining", "RateLimit-Reset", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Date"];
        string[] parts = ["\"a\"", ";r=0", ";t=", "5", "-", ",", " ", "e9", "1e400", "NaN", "99999999999999999999999", "Thu, 01 Jan 2026 00:01:00 GMT", "=", "w=60", ".", "\u00fc", "0x10", "Infinity"];
        var random = new Random(17);
        for (var round = 0; round < 50_000; round++)
        {
            using var response = new HttpResponseMessage(random.Next(2) == 0 ? HttpStatusCode.TooManyRequests : HttpStatusCode.OK);
            foreach (var name in names)
            {
                if (random.Next(2) == 0)
                    response.Headers.TryAddWithoutValidation(name, string.Concat(Enumerable.Range(0, random.Next(5)).Select(_ => parts[random.Next(parts.Length)])));
            }
            var hint = LimitFields.Read(response, Now);
            Assert.True(hint.ClosedFor is null || hint.ClosedFor >= TimeSpan.Zero);
            Assert.True(hint.Remaining is null or >= 0);
            Assert.True(hint.Reset is null || hint.Reset >= TimeSpan.Zero);
        }
    }

    [Fact]
    public void Read_OfAFieldLongerThanAnyIsMeant_PassesItOver()
    {
        var field = string.Join(", ", Enumerable.Range(0, 1_000).Select(i => $"\"p{i}\";r=0;t=60"));
        Check(HttpStatusCode.OK, $"RateLimit: {field}", null, null, null);
    }

    private static void Check(HttpStatusCode status, string fields, object? closed, object? remaining, object? reset)
    {
        var hint = LimitFields.Read(Response(status, fields), Now);
        Assert.Equal(Number(closed), hint.ClosedFor?.TotalSeconds);
        Assert.Equal(Number(remaining), hint.Remaining);
        Assert.Equal(Number(reset), hint.Reset?.TotalSeconds);
    }

    private static double? Number(object? value) => value is null ? null : Convert.ToDouble(value);

    private static HttpResponseMessage Response(HttpStatusCode status, string fields)
    {
        var response = new HttpResponseMessage(status);
        foreach (var field in fields.Split('|', StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = field.IndexOf(':', StringComparison.Ordinal);
            Assert.True(response.Headers.TryAddWithoutValidation(field[..colon], field[(colon + 1)..].Trim()));
        }
        return response;
    }
}
