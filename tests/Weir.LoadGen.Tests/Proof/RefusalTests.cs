using Weir.LoadGen.Proof;
using static Weir.LoadGen.Tests.Proof.Traces;

namespace Weir.LoadGen.Tests.Proof;

public sealed class RefusalTests
{
    [Fact]
    public void SlidingWindow_RefusedWithRoomForSure_IsAFault()
    {
        var finding = Assert.Single(RefusalCheck.Find(Of(Admitted(0, 1), Refused(10, 11)), Promise("2/1s")));

        Assert.Equal(Fault.WronglyRefused, finding.Fault);
        Assert.Equal("refused although at most 1 of 2 can have been taken in the 1s before", finding.Text);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(10.5)]
    [InlineData(1_010)]
    public void SlidingWindow_WhatMayHaveBeenInTime_ExplainsARefusal(double sentMs)
    {
        // The second may have been decided before the refusal, or still count at it.
        var trace = sentMs < 1_000 ? Of(Admitted(0, 1), Admitted(sentMs, 12), Refused(10, 11)) : Of(Admitted(0, 20), Admitted(10, 10), Refused(sentMs, sentMs));

        Assert.Empty(RefusalCheck.Find(trace, Promise("2/1s")));
    }

    [Fact]
    public void SlidingWindow_ARefusalAfterTheWindow_IsAFault()
    {
        // A thousandth and a little later than the answer, everything has come back.
        Assert.Single(RefusalCheck.Find(Of(Admitted(0, 10), Admitted(5, 10), Refused(1_012, 1_013)), Promise("2/1s")));
        Assert.Empty(RefusalCheck.Find(Of(Admitted(0, 10), Admitted(5, 10), Refused(1_010.5, 1_013)), Promise("2/1s")));
    }

    [Fact]
    public void SlidingWindow_AnUnknownRequest_MayHaveTakenAPermitForEver() =>
        Assert.Empty(RefusalCheck.Find(Of(Unknown(0), Admitted(50_000, 50_001), Refused(50_010, 50_011)), Promise("2/1s")));

    [Fact]
    public void SlidingWindow_WithKeysThatWereUsedBefore_IsJudgedAfterAWindow()
    {
        Assert.Empty(RefusalCheck.Find(Of(fresh: false, Refused(900, 901)), Promise("2/1s")));
        Assert.Single(RefusalCheck.Find(Of(fresh: false, Refused(1_100, 1_101)), Promise("2/1s")));
    }

    [Fact]
    public void TokenBucket_RefusedWithTokensForSure_IsAFault()
    {
        // 10/s, burst 2: half a second after the burst four could have been had.
        Assert.Single(RefusalCheck.Find(Of(Admitted(0, 1), Admitted(0, 1), Refused(500, 501)), Promise("10/1s token-bucket burst 2")));
        Assert.Empty(RefusalCheck.Find(Of(Admitted(0, 1), Admitted(0, 1), Refused(50, 51)), Promise("10/1s token-bucket burst 2")));
        Assert.Empty(RefusalCheck.Find(Of(Admitted(0, 1), Admitted(0, 460), Admitted(400, 480), Refused(500, 501)), Promise("10/1s token-bucket burst 2")));
    }

    [Fact]
    public void TokenBucket_WithKeysThatWereUsedBefore_MayHaveBeenEmpty()
    {
        Assert.Empty(RefusalCheck.Find(Of(fresh: false, Refused(90, 91)), Promise("10/1s token-bucket burst 2")));
        Assert.Single(RefusalCheck.Find(Of(fresh: false, Refused(210, 211)), Promise("10/1s token-bucket burst 2")));
    }

    [Fact]
    public void SlidingCounter_RemembersTwoWindows()
    {
        Assert.Empty(RefusalCheck.Find(Of(Admitted(0, 1), Admitted(0, 1), Refused(1_900, 1_901)), Promise("2/1s sliding-counter")));
        Assert.Single(RefusalCheck.Find(Of(Admitted(0, 1), Admitted(0, 1), Refused(2_100, 2_101)), Promise("2/1s sliding-counter")));
    }

    [Fact]
    public void ARequestThatNeverFits_MayBeRefused() => Assert.Empty(RefusalCheck.Find(Of(Refused(0, 1)), Promise("2/1s cost 3")));
}
