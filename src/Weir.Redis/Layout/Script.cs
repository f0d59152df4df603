using System.Security.Cryptography;
using System.Text;

namespace Weir.Redis;

/// <summary>A script as the server knows it: by the hash of its text once it was sent.</summary>
internal sealed class Script
{
    private Script(string file)
    {
        using var stream = typeof(Script).Assembly.GetManifestResourceStream(file)
            ?? throw new InvalidOperationException($"The script {file} is not part of this build.");
        Text = new byte[stream.Length];
        stream.ReadExactly(Text);
#pragma warning disable CA5350 // Redis names scripts by their SHA-1.
        Hash = Encoding.ASCII.GetBytes(Convert.ToHexStringLower(SHA1.HashData(Text)));
#pragma warning restore CA5350
    }

    /// <summary>Decides.</summary>
    public static Script Counters { get; } = new("counters.lua");

    /// <summary>Forgets a counter.</summary>
    public static Script Reset { get; } = new("reset.lua");

    /// <summary>Keeps what counters are called.</summary>
    public static Script Names { get; } = new("names.lua");

    public byte[] Text { get; }

    public byte[] Hash { get; }
}
