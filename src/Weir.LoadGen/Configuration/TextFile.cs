using System.Text;

namespace Weir.LoadGen.Configuration;

/// <summary>Reads what users name: files that may be missing, unreadable, far too large, or no files at all.</summary>
internal static class TextFile
{
    /// <summary>Reads a file of UTF-8 text.</summary>
    /// <param name="path">Its path; pipes are read to their end.</param>
    /// <param name="mostBytes">What is longer is not read: a device without an end would fill the memory.</param>
    /// <param name="problem">Why there is no text, as a sentence; null when there is one.</param>
    public static string? TryRead(string path, int mostBytes, out string? problem)
    {
        problem = null;
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var content = new MemoryStream();
            var buffer = new byte[64 * 1024];
            for (int count; (count = file.Read(buffer)) > 0;)
            {
                content.Write(buffer, 0, count);
                if (content.Length > mostBytes)
                {
                    problem = $"'{path}' has more than {mostBytes:N0} bytes. Name a smaller file.";
                    return null;
                }
            }
            content.Position = 0;
            using var reader = new StreamReader(content, Encoding.UTF8);
            return reader.ReadToEnd();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            problem = $"'{path}' cannot be read: {e.Message.TrimEnd('.')}. Name a readable file.";
            return null;
        }
    }
}
