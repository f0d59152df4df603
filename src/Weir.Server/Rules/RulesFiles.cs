using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Weir.Server.Rules;

/// <summary>
/// Reads rules from a file, or from every <c>*.yaml</c> and <c>*.yml</c> of a folder (not of folders below it, and no dot files), and tells
/// cheaply whether they have changed.
/// </summary>
internal static class RulesFiles
{
    /// <summary>Largest file: 4 MB.</summary>
    public const int MaxBytes = 4 * 1024 * 1024;

    // Up to here a change is seen in the bytes themselves, which no clock of a remote file system and no tool that keeps times can hide.
    private const int MaxHashedBytes = 64 * 1024;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads and parses everything.</summary>
    /// <param name="path">A file or a folder.</param>
    /// <param name="failure">The failure policy of rules that name none.</param>
    public static RulesLoad Load(string path, FailurePolicy failure)
    {
        List<RulesFile> files = [];
        List<RulesProblem> problems = [];
        foreach (var file in Find(path, problems))
        {
            if (Read(file, problems) is { } text)
                files.Add(new RulesFile(file, text));
        }
        var parsed = RulesParser.Parse(failure, files);
        return problems.Count == 0
            ? new RulesLoad(files, parsed.Rules, parsed.Problems, parsed.Warnings)
            : new RulesLoad(files, null, [.. problems, .. parsed.Problems], parsed.Warnings);
    }

    /// <summary>32 bytes that differ whenever the files differ, also between missing, unreadable and empty.</summary>
    public static byte[] Fingerprint(string path)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        List<RulesProblem> problems = [];
        foreach (var file in Find(path, problems))
        {
            Append(hash, file);
            AppendContent(hash, file);
        }
        foreach (var problem in problems)
            Append(hash, problem.ToString());
        return hash.GetHashAndReset();
    }

    private static List<string> Find(string path, List<RulesProblem> problems)
    {
        try
        {
            if (!Directory.Exists(path))
                return [path];
            var files = Directory.EnumerateFiles(path).Where(IsRules).Order(StringComparer.Ordinal).ToList();
            if (files.Count == 0)
                problems.Add(new RulesProblem(path, 0, 0, "The folder has no *.yaml or *.yml file. Add one, or name the file itself."));
            return files;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problems.Add(new RulesProblem(path, 0, 0, $"The folder cannot be listed: {e.Message}"));
            return [];
        }
    }

    private static bool IsRules(string file)
    {
        var name = Path.GetFileName(file);
        return !name.StartsWith('.')
            && (name.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".yml", StringComparison.OrdinalIgnoreCase));
    }

    private static string? Read(string file, List<RulesProblem> problems)
    {
        try
        {
            return StrictUtf8.GetString(ReadBytes(file));
        }
        catch (DecoderFallbackException e)
        {
            problems.Add(new RulesProblem(file, 0, 0, $"Byte {e.Index:N0} (0x{e.BytesUnknown?[0]:X2}) is not UTF-8. Save the file as UTF-8."));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            problems.Add(new RulesProblem(file, 0, 0, "There is no such file or folder. Check the path."));
        }
        catch (UnauthorizedAccessException)
        {
            problems.Add(new RulesProblem(file, 0, 0, "The file may not be read. Give this user the right to read it."));
        }
        catch (IOException e)
        {
            problems.Add(new RulesProblem(file, 0, 0, $"The file cannot be read: {e.Message}"));
        }
        return null;
    }

    private static byte[] ReadBytes(string file)
    {
        using var stream = Open(file);
        if (stream.Length > MaxBytes)
            throw new IOException($"it has {stream.Length:N0} bytes and may have {MaxBytes:N0}. Split it by domain into several files of a folder.");
        var bytes = new byte[stream.Length];
        return bytes[..stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
    }

    // Writers and renames must not be hindered by our look.
    private static FileStream Open(string file) => new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);

    private static void AppendContent(IncrementalHash hash, string file)
    {
        try
        {
            using var stream = Open(file);
            if (stream.Length > MaxHashedBytes)
                AppendStamp(hash, file, stream.Length);
            else
                AppendBytes(hash, stream);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Append(hash, e.GetType().Name);
        }
    }

    private static void AppendBytes(IncrementalHash hash, FileStream stream)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(MaxHashedBytes);
        var length = stream.ReadAtLeast(buffer, MaxHashedBytes, throwOnEndOfStream: false);
        hash.AppendData(buffer, 0, length);
        ArrayPool<byte>.Shared.Return(buffer);
    }

    private static void AppendStamp(IncrementalHash hash, string file, long length)
    {
        var target = File.ResolveLinkTarget(file, returnFinalTarget: true);
        var written = target is null ? File.GetLastWriteTimeUtc(file) : target.LastWriteTimeUtc;
        Append(hash, $"{length} {written.Ticks} {target?.FullName}");
    }

    private static void Append(IncrementalHash hash, string text)
    {
        // The length keeps neighbouring parts from running together into the same bytes.
        hash.AppendData(BitConverter.GetBytes(text.Length));
        hash.AppendData(Encoding.UTF8.GetBytes(text));
    }
}

/// <summary>What reading the files gave.</summary>
/// <param name="Files">The files that could be read.</param>
/// <param name="RuleSet">The rules, or null when there was a problem.</param>
/// <param name="Problems">Everything that is wrong.</param>
/// <param name="Warnings">What is allowed but has no effect.</param>
internal sealed record RulesLoad(IReadOnlyList<RulesFile> Files, RuleSet? RuleSet, IReadOnlyList<RulesProblem> Problems, IReadOnlyList<RulesProblem> Warnings);
