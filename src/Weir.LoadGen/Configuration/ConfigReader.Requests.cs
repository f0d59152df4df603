using System.Globalization;
using System.Net.Http;
using System.Security.Cryptography;
using System.Text;
using Weir.LoadGen.Keys;
using Weir.LoadGen.Sending;

namespace Weir.LoadGen.Configuration;

/// <content>Requests, keys and files.</content>
internal sealed partial class ConfigReader
{
    private const string KeysForm = "a number of keys, zipf:N, zipf:N:EXPONENT, fixed:NAME or file:PATH";
    private const int MostKeyBytes = 4_096;

    private static readonly string[] OfTransport = ["Content-Length", "Transfer-Encoding"];

    private SendOptions Sending()
    {
        var shape = new RequestShape(ReadMethod(), ReadPath(), ReadHeaders(), ReadBody());
        var statuses = new AnswerStatuses(Statuses(LoadSettings.AllowedStatus), Statuses(LoadSettings.LimitedStatus));
        var inFlight = Whole(LoadSettings.MaxInFlight, 1, Bounds.MostInFlight, "a whole number of requests");
        var timeout = TimeSpan.FromSeconds(Time(LoadSettings.Timeout, Bounds.LeastSeconds, Bounds.MostTimeoutSeconds));
        var keys = ReadKeys();
        // Without its key in the request, everything is one key to the limiter.
        if (!shape.NamesKey)
            HasNoMeaning("where no {key} stands in path, headers or body", "Put {key} there, or leave it out.", LoadSettings.Keys, LoadSettings.KeyPrefix);
        if (!shape.NamesKey)
            keys = KeySource.Given("not in the request", ["(all requests)"], 0);
        return new SendOptions(shape, keys, statuses, inFlight, timeout, options.IsOn(LoadSettings.Resend), options.IsOn(LoadSettings.Insecure));
    }

    private HttpMethod ReadMethod()
    {
        var text = options.TextOf(LoadSettings.Method) ?? "";
        if (text.Length is > 0 and <= 32 && text.All(char.IsAsciiLetter) && !text.Equals("CONNECT", StringComparison.OrdinalIgnoreCase))
            return new HttpMethod(text.ToUpperInvariant());
        Problem(LoadSettings.Method, $"'{text}' must be an HTTP method such as GET or POST.");
        return HttpMethod.Get;
    }

    private Template ReadPath()
    {
        var text = options.TextOf(LoadSettings.Path) ?? "";
        if (!text.StartsWith('/') || text.Any(static c => c is <= ' ' or > '~' or '#'))
            Problem(LoadSettings.Path, $"'{text}' must begin with / and have no spaces, # or letters beyond ASCII. Write those percent-encoded.");
        return Template.Parse(text);
    }

    private List<(string Name, Template Value)> ReadHeaders()
    {
        var headers = new List<(string, Template)>();
        foreach (var text in options.TextsOf(LoadSettings.Header))
        {
            var colon = text.IndexOf(':');
            var name = colon < 0 ? "" : text[..colon].Trim();
            if (name.Length > 0 && name.All(static c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c)) && !text.Any(static c => char.IsControl(c) && c != '\t'))
            {
                if (OfTransport.Contains(name, StringComparer.OrdinalIgnoreCase))
                    Problem(LoadSettings.Header, $"'{name}' cannot be set: it follows from the body. Leave it out, and give --body.");
                headers.Add((name, Template.Parse(text[(colon + 1)..].Trim())));
            }
            else
                Problem(LoadSettings.Header, $"'{text}' must be a name, a colon and a value, such as 'X-User: {{key}}'.");
        }
        return headers;
    }

    private Template? ReadBody()
    {
        if (options.TextOf(LoadSettings.Body) is not { } text)
            return null;
        return text.StartsWith('@') ? TryReadFile(LoadSettings.Body, text[1..], Bounds.MostBodyBytes) is { } content ? Template.Parse(content) : null : Template.Parse(text);
    }

    private List<int> Statuses(LoadSetting setting)
    {
        var text = options.TextOf(setting) ?? "";
        if (AnswerStatuses.TryParse(text) is { } statuses)
            return statuses;
        Problem(setting, $"'{text}' must be statuses with commas between them, such as 200,204 or 2xx.");
        return [];
    }

    private KeySource ReadKeys()
    {
        var text = (options.TextOf(LoadSettings.Keys) ?? "").Trim();
        var seed = (ulong)Number(LoadSettings.Seed, 0, 1e15, "a whole number", whole: true);
        var parts = text.Split(':', 2);
        if (parts is ["fixed" or "file", _])
            HasNoMeaning($"with {options.NameOf(LoadSettings.Keys)} {text}, which names its keys itself", "Leave one of the two out.", LoadSettings.KeyPrefix);
        return (parts[0], parts.Length) switch
        {
            ("fixed", 2) => Given([parts[1]], "one", seed),
            ("file", 2) => FromFile(parts[1], seed),
            ("zipf", 2) => Zipf(text, parts[1].Split(':'), seed),
            _ => Numbered(text, text, null, seed),
        };
    }

    private KeySource Zipf(string text, string[] parts, ulong seed)
    {
        var exponent = 1.0;
        if (parts.Length > 2 || (parts.Length == 2 && !(double.TryParse(parts[1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out exponent) && exponent <= Bounds.MostZipf)))
            Problem(LoadSettings.Keys, $"'{text}' must be zipf:N or zipf:N:EXPONENT, with an exponent from 0 to {Bounds.MostZipf:0}.");
        return Numbered(text, parts[0], exponent, seed);
    }

    private KeySource Numbered(string text, string number, double? zipf, ulong seed)
    {
        if (!int.TryParse(number, NumberStyles.AllowThousands, CultureInfo.InvariantCulture, out var count) || count is < 1 or > Bounds.MostKeys)
        {
            Problem(LoadSettings.Keys, $"'{text}' must be {KeysForm}, with 1 to {Bounds.MostKeys:N0} keys.");
            count = 1;
        }
        var prefix = options.TextOf(LoadSettings.KeyPrefix);
        return KeySource.Numbered(count, prefix ?? $"load-{RandomNumberGenerator.GetHexString(6, lowercase: true)}-", zipf, seed, fresh: prefix is null);
    }

    private KeySource FromFile(string path, ulong seed)
    {
        var lines = TryReadFile(LoadSettings.Keys, path, Bounds.MostKeyFileBytes)?.Split('\n').Select(static l => l.TrimEnd('\r')).Where(static l => l.Length > 0).ToList() ?? ["-"];
        if (lines.Count is 0 or > Bounds.MostKeys)
            Problem(LoadSettings.Keys, $"'{path}' has {lines.Count:N0} keys. Give 1 to {Bounds.MostKeys:N0}, one on each line.");
        return Given(lines, $"{lines.Count:N0} of {Path.GetFileName(path)}, drawn evenly", seed);
    }

    private KeySource Given(List<string> names, string description, ulong seed)
    {
        if (names.Find(static n => n.Length == 0 || Encoding.UTF8.GetByteCount(n) > MostKeyBytes) is { } bad)
            Problem(LoadSettings.Keys, bad.Length == 0 ? "the key is empty. Give fixed:NAME." : $"a key of {bad.Length:N0} letters is longer than {MostKeyBytes:N0} bytes.");
        return KeySource.Given(description, names.Count == 0 ? ["-"] : names, seed);
    }

    private string? TryReadFile(LoadSetting setting, string path, int mostBytes)
    {
        var text = TextFile.TryRead(path, mostBytes, out var problem);
        if (problem is not null)
            Problem(setting, problem);
        return text;
    }

    private ReportFiles Files()
    {
        var files = new ReportFiles(Writable(LoadSettings.Json), Writable(LoadSettings.Html), Writable(LoadSettings.Csv));
        foreach (var same in files.All.Where(static f => !f.Path.StartsWith("/dev/", StringComparison.Ordinal)).GroupBy(static f => Path.GetFullPath(f.Path)).Where(static g => g.Count() > 1))
            problems.Add($"{string.Join(" and ", same.Select(static f => "--" + f.Setting))}: both name '{same.First().Path}', and one would overwrite the other. Name two files.");
        return files;
    }

    // Found out before the run, not after it: the file is opened, and taken away again if it was not there.
    private string? Writable(LoadSetting setting)
    {
        if (options.TextOf(setting) is not { } path)
            return null;
        try
        {
            var existed = File.Exists(path);
            using (File.Open(path, FileMode.OpenOrCreate, FileAccess.Write))
            {
                // Opened is enough.
            }
            if (!existed)
                File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            Problem(setting, $"'{path}' cannot be written: {e.Message.TrimEnd('.')}. Name a file in a folder that exists and may be written to.");
        }
        return path;
    }
}
