namespace Weir.LoadGen.Profiles;

/// <summary>What the load is doing at an instant, as status lines and reports name it.</summary>
internal enum Phase
{
    /// <summary>The asked rate stays as it is.</summary>
    Steady,

    /// <summary>The asked rate is multiplied for a while.</summary>
    Burst,

    /// <summary>The asked rate goes up or down.</summary>
    Ramp,
}
