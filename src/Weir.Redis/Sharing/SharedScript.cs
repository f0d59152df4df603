using System.Security.Cryptography;
using System.Text;
using Weir.Resp;

namespace Weir.Redis;

/// <summary>A script that changes what nodes share, known to the server by the hash of its text once it was sent. Immutable.</summary>
internal sealed class SharedScript
{
    private readonly string _text;
    private readonly string _hash;

    private SharedScript(string file)
    {
        using var stream = typeof(SharedScript).Assembly.GetManifestResourceStream(file)
            ?? throw new InvalidOperationException($"The script {file} is not part of this build.");
        using var reader = new StreamReader(stream);
        _text = reader.ReadToEnd();
#pragma warning disable CA5350 // Redis names scripts by their SHA-1.
        _hash = Convert.ToHexStringLower(SHA1.HashData(Encoding.UTF8.GetBytes(_text)));
#pragma warning restore CA5350
    }

    public static SharedScript Nodes { get; } = new("nodes.lua");

    public static SharedScript SetLimit { get; } = new("limits-set.lua");

    public static SharedScript LimitsSince { get; } = new("limits-since.lua");

    public static SharedScript StageLimits { get; } = new("limits-stage.lua");

    public static SharedScript RestoreLimits { get; } = new("limits-restore.lua");

    public static SharedScript AddReservation { get; } = new("reservation-add.lua");

    public static SharedScript TakeReservation { get; } = new("reservation-take.lua");

    public static SharedScript ExtendReservation { get; } = new("reservation-extend.lua");

    /// <summary>The call of the script by its hash, or with its whole text, which makes the server remember it.</summary>
    public RespCommand Call(bool withText, ReadOnlySpan<string> keys, ReadOnlySpan<string> arguments) =>
        RespCommand.Create([withText ? "EVAL" : "EVALSHA", withText ? _text : _hash, $"{keys.Length}", .. keys, .. arguments]);
}
