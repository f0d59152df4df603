using Weir.LoadGen.Proof;
using static Weir.LoadGen.Tests.Proof.Traces;

namespace Weir.LoadGen.Tests.Proof;

public sealed class OverAdmissionTests
{
    [Fact]
    public void SlidingWindow_OneTooManyWithinAWindowForSure_IsFoundAndNamed()
    {
        var trace = Of(Admitted(0, 10), Admitted(100, 110, target: 1), Admitted(200, 900, target: 1), Admitted(5_000, 5_010));

        var finding = Assert.Single(WindowCheck.Find(trace, 2, 1_000 * Ms, out var fullest, out _));

        Assert.Equal((Fault.OverAdmitted, "alice", 1, 3), (finding.Fault, finding.Key, finding.Excess, fullest));
        Assert.Equal("3 admitted within 900ms, where 2 are allowed in 1s", finding.Text);
        Assert.Equal([1, 2], finding.ByTarget);
        Assert.Equal(new Bracket(0, 900 * Ms), finding.Time);
    }

    [Fact]
    public void SlidingWindow_WhatMayLieOutsideTheWindow_IsNoFault()
    {
        // The third may have been decided a whole window after the first.
        var trace = Of(Admitted(0, 10), Admitted(100, 110), Admitted(200, 1_001));

        Assert.Empty(WindowCheck.Find(trace, 2, 1_000 * Ms, out var fullest, out _));
        Assert.Equal(2, fullest);
    }

    [Fact]
    public void SlidingWindow_ExactlyAWindowApart_IsNoFault() =>
        Assert.Empty(WindowCheck.Find(Of(Admitted(0, 0), Admitted(1_000, 1_000), Admitted(2_000, 2_000)), 1, 1_000 * Ms, out _, out _));

    [Fact]
    public void SlidingWindow_WindowsThatFitEachButNotTogether_AreAFault()
    {
        var trace = Of(Admitted(0, 0), Admitted(500, 1_200), Admitted(1_500, 1_500));

        var finding = Assert.Single(WindowCheck.Find(trace, 1, 1_000 * Ms, out var fullest, out _));

        Assert.Equal(1, fullest);
        Assert.Equal("the 3 admitted cannot have been decided at any instants so that every 1s holds at most 1", finding.Text);
    }

    [Fact]
    public void SlidingWindow_ALittleEarlyByTheClocks_IsNoFault()
    {
        // 999.5 ms here may be a second on a server whose clock is fast by a two-thousandth.
        Assert.Empty(WindowCheck.Find(Of(Admitted(0, 0), Admitted(999.5, 999.5)), 1, 1_000 * Ms, out _, out _));
        Assert.Single(WindowCheck.Find(Of(Admitted(0, 0), Admitted(998.5, 998.5)), 1, 1_000 * Ms, out _, out _));
    }

    [Fact]
    public void SlidingWindow_ManyOverfullWindows_AreOneFindingEach()
    {
        var trace = Of([.. Enumerable.Range(0, 5).SelectMany(static window => Enumerable.Range(0, 4).Select(i => Admitted((window * 3_000) + i, (window * 3_000) + i)))]);

        var findings = WindowCheck.Find(trace, 2, 1_000 * Ms, out _, out _);

        Assert.Equal(5, findings.Count);
        Assert.All(findings, static f => Assert.Equal(2, f.Excess));
    }

    [Fact]
    public void SlidingWindow_WithALimitOfNothing_AnyAdmissionIsAFault() => Assert.Single(WindowCheck.Find(Of(Admitted(0, 1)), 0, 1_000 * Ms, out _, out _));

    [Theory]
    [InlineData(5, true)]
    [InlineData(6, false)]
    public void TokenBucket_AtOnce_GivesTheBurst(int requests, bool kept)
    {
        var trace = Of([.. Enumerable.Range(0, requests).Select(static i => Admitted(i * 0.01, (i * 0.01) + 0.01))]);

        Assert.Equal(kept, BucketCheck.Find(trace, Promise("10/1s token-bucket burst 5"), out _).Count == 0);
    }

    [Theory]
    [InlineData(100, true)]
    [InlineData(98, false)]
    public void TokenBucket_Steadily_GivesTheRate(double everyMs, bool kept)
    {
        // 10/s with a burst of 2: a step that is 2 % too fast has used the burst up after 100 requests.
        var trace = Of([.. Enumerable.Range(0, 200).Select(i => Admitted(i * everyMs, i * everyMs))]);

        var findings = BucketCheck.Find(trace, Promise("10/1s token-bucket burst 2"), out _);

        Assert.Equal(kept, findings.Count == 0);
    }

    [Fact]
    public void TokenBucket_TooManyForSure_IsCounted()
    {
        var trace = Of([.. Enumerable.Range(0, 8).Select(static i => Admitted(i, i + 1))]);

        var finding = Assert.Single(BucketCheck.Find(trace, Promise("10/1s token-bucket burst 5"), out _));

        Assert.Contains("burst and rate allow 5", finding.Text);
    }

    [Fact]
    public void TokenBucket_WithACostAboveTheBurst_AdmitsNothing() => Assert.Single(BucketCheck.Find(Of(Admitted(0, 1)), Promise("10/1s token-bucket burst 5 cost 6"), out _));

    [Fact]
    public void FixedWindow_TwoLimitsAcrossABoundary_AreNoFault()
    {
        var trace = Of(Admitted(900, 900), Admitted(950, 950), Admitted(1_050, 1_050), Admitted(1_100, 1_100));

        Assert.Empty(AlignedCheck.Find(trace, 2, 1_000 * Ms, null, out _));
    }

    [Fact]
    public void FixedWindow_MoreThanTwoLimitsWithinAWindow_AreAFault()
    {
        var trace = Of([.. Enumerable.Range(0, 5).Select(static i => Admitted(i * 100, i * 100))]);

        var finding = Assert.Single(AlignedCheck.Find(trace, 2, 1_000 * Ms, null, out _));

        Assert.Equal("5 admitted within 400ms: wherever windows of 1s begin, one of them holds more than 2", finding.Text);
    }

    [Fact]
    public void FixedWindow_BoundariesThatAreNotAWindowApart_AreAFault()
    {
        // Each trio needs a boundary inside: one near 0.1 s, one near 3.6 s.
        var trace = Of(Admitted(0, 0), Admitted(100, 100), Admitted(200, 200), Admitted(3_500, 3_500), Admitted(3_600, 3_600), Admitted(3_700, 3_700));

        Assert.Single(AlignedCheck.Find(trace, 2, 1_000 * Ms, null, out _));
    }

    [Fact]
    public void FixedWindow_BoundariesAWindowApart_AreNoFault()
    {
        var trace = Of(Admitted(0, 0), Admitted(100, 100), Admitted(200, 200), Admitted(3_050, 3_050), Admitted(3_120, 3_120), Admitted(3_200, 3_200));

        Assert.Empty(AlignedCheck.Find(trace, 2, 1_000 * Ms, null, out _));
    }

    [Fact]
    public void FixedWindow_WithAKnownClock_FindsWhatAnUnknownOneExplains()
    {
        // Three in the middle of a window that begins at 0.5 s.
        var trace = Of(Admitted(900, 900), Admitted(1_000, 1_000), Admitted(1_100, 1_100));

        Assert.Empty(AlignedCheck.Find(trace, 2, 1_000 * Ms, null, out _));
        Assert.Single(AlignedCheck.Find(trace, 2, 1_000 * Ms, new Bracket(450 * Ms, 550 * Ms), out _));
        Assert.Empty(AlignedCheck.Find(trace, 2, 1_000 * Ms, new Bracket(-50 * Ms, 50 * Ms), out _));
    }

    [Fact]
    public void BlindSpot_IsWhatMayLieOnEitherSideOfAWindow()
    {
        // Nothing is under way together, and no second lies a window after another's end.
        Assert.Equal(1, BlindSpot.Of(Of(Admitted(0, 10), Admitted(100, 110)).AdmittedTimes, 1_000 * Ms));
        // At 5 ms three are under way, and the two around 1,005 ms may be in the same window or not.
        Assert.Equal(5, BlindSpot.Of(Of(Admitted(0, 10), Admitted(1, 10), Admitted(2, 10), Admitted(1_000, 1_010), Admitted(1_001, 1_009)).AdmittedTimes, 1_000 * Ms));
    }
}
