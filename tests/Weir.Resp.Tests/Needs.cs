using Weir.TestKit.Redis;

namespace Weir.Resp.Tests;

/// <summary>What tests need from the machine.</summary>
internal static class Needs
{
    /// <summary>Skips the test where no server can be started.</summary>
    public static void Redis() => Assert.SkipWhen(RedisServer.Unavailable is not null, RedisServer.Unavailable ?? "");
}

/// <summary>Tests that measure and therefore run alone.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public class Alone;
