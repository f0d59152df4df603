namespace Weir.Redis;

/// <summary>What an operation does, as the script knows it.</summary>
internal enum OperationKind : byte
{
    Decide = 0,
    Group = 1,
    Settle = 2,
    Renew = 3,
    Hint = 4,
}
