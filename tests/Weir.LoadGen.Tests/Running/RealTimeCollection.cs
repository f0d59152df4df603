namespace Weir.LoadGen.Tests.Running;

/// <summary>Tests that measure time, one after the other and not beside others.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class RealTimeCollection
{
    public const string Name = "real time";
}
