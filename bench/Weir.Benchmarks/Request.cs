namespace Weir.Benchmarks;

/// <summary>One request for a permit, with its key as a caller in .NET has it and as a server has just read it.</summary>
internal readonly record struct Request(string Key, byte[] Utf8);
