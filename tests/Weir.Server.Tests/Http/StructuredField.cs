using System.Globalization;

namespace Weir.Server.Tests.Http;

/// <summary>
/// One member of a list in HTTP's structured fields (RFC 9651): a string, integer or token with parameters. Reads the part of the grammar that rate limit
/// fields use, and fails on everything else.
/// </summary>
/// <param name="Value">A <c>string</c> or a <c>long</c>.</param>
/// <param name="Parameters">In their order.</param>
internal sealed record StructuredField(object Value, IReadOnlyList<KeyValuePair<string, object>> Parameters)
{
    public object Parameter(string name) => Parameters.Single(p => p.Key == name).Value;

    public bool Has(string name) => Parameters.Any(p => p.Key == name);

    /// <summary>Reads a field that has exactly one member.</summary>
    public static StructuredField ParseOne(string? text) => Assert.Single(Parse(text));

    public static List<StructuredField> Parse(string? text)
    {
        Assert.NotNull(text);
        var members = new List<StructuredField>();
        var reader = new Reader(text);
        do
            members.Add(reader.Member());
        while (reader.Next());
        return members;
    }

    private sealed class Reader(string text)
    {
        private int _at;

        private char Here => _at < text.Length ? text[_at] : '\0';

        public bool Next()
        {
            if (_at == text.Length)
                return false;
            SkipSpaces();
            Take(',');
            SkipSpaces();
            return true;
        }

        public StructuredField Member()
        {
            var value = Item();
            var parameters = new List<KeyValuePair<string, object>>();
            while (Here == ';')
            {
                _at++;
                SkipSpaces();
                var key = While(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '_' or '-' or '.' or '*');
                Assert.True(key.Length > 0 && (char.IsAsciiLetterLower(key[0]) || key[0] == '*'), $"'{key}' is no key in {text}");
                Assert.DoesNotContain(parameters, p => p.Key == key);
                Take('=');
                parameters.Add(new(key, Item()));
            }
            return new StructuredField(value, parameters);
        }

        private object Item() => Here switch
        {
            '"' => Quoted(),
            '-' or (>= '0' and <= '9') => Integer(),
            _ => throw new FormatException($"'{text[_at..]}' is no item in {text}"),
        };

        private long Integer()
        {
            var digits = While(static c => c == '-' || char.IsAsciiDigit(c));
            Assert.InRange(digits.TrimStart('-').Length, 1, 15);
            return long.Parse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        }

        private string Quoted()
        {
            Take('"');
            var value = "";
            while (Here != '"')
            {
                Assert.InRange(Here, ' ', '~');
                if (Here == '\\')
                {
                    _at++;
                    Assert.True(Here is '"' or '\\', $"'\\{Here}' is no escape in {text}");
                }
                value += Here;
                _at++;
            }
            Take('"');
            return value;
        }

        private string While(Func<char, bool> belongs)
        {
            var start = _at;
            while (belongs(Here))
                _at++;
            return text[start.._at];
        }

        private void SkipSpaces()
        {
            while (Here == ' ')
                _at++;
        }

        private void Take(char expected)
        {
            Assert.True(Here == expected, $"'{expected}' expected at {_at} of {text}");
            _at++;
        }
    }
}
