namespace Weir.Cli;

/// <summary>What the command's exit code says.</summary>
internal static class ExitCode
{
    /// <summary>Done; for <c>check</c>: allowed; for <c>health</c>: healthy.</summary>
    public const int Ok = 0;

    /// <summary>A clear no: the check was refused, the node is not healthy, the rules have problems, the node could not start.</summary>
    public const int No = 1;

    /// <summary>No answer was had: the command line is wrong, or the node is out of reach.</summary>
    public const int Error = 2;
}
