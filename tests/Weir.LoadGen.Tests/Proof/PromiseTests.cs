using Weir.LoadGen.Proof;

namespace Weir.LoadGen.Tests.Proof;

public sealed class PromiseTests
{
    [Theory]
    [InlineData("100/1m", "100 per 1m, sliding-window")]
    [InlineData(" 100 per 60s ", "100 per 1m, sliding-window")]
    [InlineData("100/1m sliding-window", "100 per 1m, sliding-window")]
    [InlineData("0/1s", "0 per 1s, sliding-window")]
    [InlineData("50/500ms token-bucket burst 200", "50 per 500ms, token-bucket, burst 200")]
    [InlineData("50/1s, token-bucket, burst=50", "50 per 1s, token-bucket")]
    [InlineData("1000/1h fixed-window cost 5", "1,000 per 1h, fixed-window, 5 for each request")]
    [InlineData("10/1s SLIDING-COUNTER", "10 per 1s, sliding-counter")]
    [InlineData("3/1d concurrency", "3 per 1d, concurrency")]
    public void TryParse_OfAPromise_ReadsIt(string text, string expected) => Assert.Equal(expected, Promise.TryParse(text)?.ToString());

    [Theory]
    [InlineData("")]
    [InlineData("100")]
    [InlineData("100/")]
    [InlineData("-1/1m")]
    [InlineData("1.5/1m")]
    [InlineData("100/0s")]
    [InlineData("100/400d")]
    [InlineData("100/1m leaky")]
    [InlineData("100/1m sliding-window burst 5")]
    [InlineData("100/1m token-bucket burst 0")]
    [InlineData("100/1m cost 0")]
    [InlineData("99999999999/1m")]
    [InlineData("100/1m sliding-window and more")]
    public void TryParse_OfSomethingElse_IsNull(string text) => Assert.Null(Promise.TryParse(text));

    [Fact]
    public void Capacity_CountsRequests()
    {
        Assert.Equal(33, Promise.TryParse("100/1m cost 3")!.Capacity);
        Assert.Equal(20, Promise.TryParse("100/1m token-bucket burst 40 cost 2")!.Capacity);
    }
}
