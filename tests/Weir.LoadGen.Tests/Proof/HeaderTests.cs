using Weir.LoadGen.Proof;
using Weir.LoadGen.Sending;
using static Weir.LoadGen.Tests.Proof.Traces;

namespace Weir.LoadGen.Tests.Proof;

public sealed class HeaderTests
{
    [Fact]
    public void Remaining_ThatGrewWithoutCause_IsAFault()
    {
        var finding = Assert.Single(HeaderCheck.Find(Of(Admitted(0, 1, remaining: 9), Admitted(2, 3, remaining: 8), Admitted(4, 5, remaining: 9)), Promise("10/1s")));

        Assert.Equal((Fault.WrongRemaining, "X-RateLimit-Remaining says 9, where at most 7 can have been left"), (finding.Fault, finding.Text));
    }

    [Fact]
    public void Remaining_OfRequestsUnderWayTogether_MayComeInAnyOrder() =>
        Assert.Empty(HeaderCheck.Find(Of(Admitted(0, 5, remaining: 7), Admitted(1, 5, remaining: 9), Admitted(2, 5, remaining: 8)), Promise("10/1s")));

    [Fact]
    public void Remaining_AfterAWindow_MayGrow() => Assert.Empty(HeaderCheck.Find(Of(Admitted(0, 1, remaining: 9), Admitted(1_001, 1_002, remaining: 9)), Promise("10/1s")));

    [Fact]
    public void Remaining_OfATokenBucket_GrowsByTheRate()
    {
        Assert.Empty(HeaderCheck.Find(Of(Admitted(0, 1, remaining: 4), Admitted(2, 3, remaining: 3), Admitted(120, 121, remaining: 3)), Promise("10/1s token-bucket burst 5")));
        Assert.Single(HeaderCheck.Find(Of(Admitted(0, 1, remaining: 4), Admitted(2, 3, remaining: 3), Admitted(50, 51, remaining: 3)), Promise("10/1s token-bucket burst 5")));
    }

    [Fact]
    public void Remaining_OfAFixedWindow_GrowsOncePerWindow()
    {
        Assert.Empty(HeaderCheck.Find(Of(Admitted(0, 1, remaining: 5), Admitted(10, 11, remaining: 9), Admitted(1_020, 1_021, remaining: 9)), Promise("10/1s fixed-window")));
        var finding = Assert.Single(HeaderCheck.Find(Of(Admitted(0, 1, remaining: 5), Admitted(10, 11, remaining: 9), Admitted(20, 21, remaining: 7), Admitted(30, 31, remaining: 8)), Promise("10/1s fixed-window")));
        Assert.Equal("X-RateLimit-Remaining grew from 7 to 8 for the second time within one window", finding.Text);
    }

    [Fact]
    public void Remaining_WhenTooMuchWasAdmitted_IsNotBlamedForZero() =>
        Assert.Empty(HeaderCheck.Find(Of(Admitted(0, 1, remaining: 0), Admitted(2, 3, remaining: 0), Refused(4, 5, remaining: 0)), Promise("1/1s")));

    [Fact]
    public void RetryAfter_ThatWasObeyedInVain_IsAFault()
    {
        var finding = Assert.Single(HeaderCheck.Find(Of(Admitted(0, 1), Refused(10, 11, retryAfter: 1), Refused(1_100, 1_101, retryAfter: 1)), Promise("1/1s")));

        Assert.Equal((Fault.WrongRetryAfter, "Retry-After said 1 s, and a request sent 1.089 s later was refused although nothing was taken in between"), (finding.Fault, finding.Text));
    }

    [Fact]
    public void RetryAfter_WhenSomebodyElseMayHaveTakenIt_ToldNoLie()
    {
        Assert.Empty(HeaderCheck.Find(Of(Refused(10, 11, retryAfter: 1), Admitted(1_050, 1_060), Refused(1_100, 1_101)), Promise("1/1s")));
        Assert.Empty(HeaderCheck.Find(Of(Refused(10, 11, retryAfter: 1), Unknown(500), Refused(1_100, 1_101)), Promise("1/1s")));
        Assert.Empty(HeaderCheck.Find(Of(Admitted(0, 10.5), Refused(10, 11, retryAfter: 1), Refused(1_100, 1_101)), Promise("1/1s")));
    }

    [Fact]
    public void RetryAfter_BeforeItsTime_IsNoLie() => Assert.Empty(HeaderCheck.Find(Of(Refused(10, 11, retryAfter: 1), Refused(1_010, 1_011)), Promise("1/1s")));

    [Fact]
    public void Limit_ThatIsAnother_IsAFault()
    {
        var answer = new Observation(0, Ms, new Told(50, 49, Told.Unsaid), 0, Verdict.Admitted);

        Assert.Equal(Fault.WrongLimit, Assert.Single(HeaderCheck.Find(Of(answer), Promise("10/1s"))).Fault);
        // A bucket may name what it holds, or its rate.
        Assert.Empty(HeaderCheck.Find(Of(answer), Promise("10/1s token-bucket burst 50")));
        Assert.Empty(HeaderCheck.Find(Of(answer), Promise("50/1s token-bucket burst 70")));
    }
}
