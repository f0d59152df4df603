using System.Globalization;
using System.Text;
using Weir.AspNetCore.Outgoing.Fields;

namespace Weir.AspNetCore.Tests.Outgoing;

public sealed class StructuredReaderTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("  ", "")]
    [InlineData("a", "Token:a")]
    [InlineData("*a/b:c", "Token:*a/b:c")]
    [InlineData("1, -2 ,\t3", "Integer:1|Integer:-2|Integer:3")]
    [InlineData("999999999999999", "Integer:999999999999999")]
    [InlineData("1.25", "Decimal:1.25")]
    [InlineData("\"a\\\"b\\\\\"", "String:a\\\"b\\\\")]
    [InlineData("\"a,b;c\"", "String:a,b;c")]
    [InlineData(":aGk=:", "Bytes:aGk=")]
    [InlineData("?1, ?0", "Boolean:1|Boolean:0")]
    [InlineData("@-1659578233", "Date:-1659578233")]
    [InlineData("%\"%c3%bc\"", "DisplayString:%c3%bc")]
    [InlineData("(1 \"a\";x  b );y=2", "InnerList:;y=Integer:2")]
    [InlineData("()", "InnerList:")]
    [InlineData("\"x\";r=5;t=30;pk=:cHsdsRa894==:", "String:x;r=Integer:5;t=Integer:30;pk=Bytes:cHsdsRa894==")]
    [InlineData("a;  b;*c-d.e_1=?0", "Token:a;b=Boolean:1;*c-d.e_1=Boolean:0")]
    public void Read_OfWhatRfc9651Allows_GivesItsParts(string field, string expected) => Assert.Equal(expected, ReadList(field));

    [Theory]
    [InlineData("a,")]
    [InlineData(",a")]
    [InlineData("a,,b")]
    [InlineData("a b")]
    [InlineData("-")]
    [InlineData("--1")]
    [InlineData("1.")]
    [InlineData(".5")]
    [InlineData("1.2345")]
    [InlineData("1000000000000000")]
    [InlineData("1234567890123.1")]
    [InlineData("\"a")]
    [InlineData("\"a\\x\"")]
    [InlineData("\"a\\")]
    [InlineData("\"\u00fc\"")]
    [InlineData(":a")]
    [InlineData(":?:")]
    [InlineData("?2")]
    [InlineData("?")]
    [InlineData("@1.5")]
    [InlineData("@")]
    [InlineData("%\"%C3\"")]
    [InlineData("%\"%c\"")]
    [InlineData("%a")]
    [InlineData("(1")]
    [InlineData("(1,2)")]
    [InlineData("(a(b))")]
    [InlineData("(\"a\"b)")]
    [InlineData("a;")]
    [InlineData("a;B=1")]
    [InlineData("a;b=")]
    [InlineData("a; =1")]
    [InlineData("a ;b")]
    [InlineData("{}")]
    public void Read_OfAnythingElse_Fails(string field) => Assert.Equal("failed", ReadList(field));

    [Fact]
    public void Read_OfGeneratedFields_GivesWhatWasWritten()
    {
        var random = new Random(91);
        for (var round = 0; round < 20_000; round++)
        {
            var field = new StringBuilder();
            var expected = new StringBuilder();
            for (var members = random.Next(1, 5); members > 0; members--)
            {
                Append(random, field, expected);
                for (var parameters = random.Next(4); parameters > 0; parameters--)
                {
                    var key = "rtqwpk"[random.Next(6)] + random.Next(100).ToString(CultureInfo.InvariantCulture);
                    field.Append(random.Next(3) == 0 ? "; " : ";").Append(key).Append('=');
                    expected.Append(';').Append(key).Append('=');
                    Append(random, field, expected);
                }
                field.Append(members > 1 ? random.Next(2) == 0 ? "," : " ,  " : "");
                expected.Append(members > 1 ? "|" : "");
            }
            Assert.Equal(expected.ToString(), ReadList(field.ToString()));
        }
    }

    [Fact]
    public void Read_OfBrokenFields_EndsWithoutAnException()
    {
        const string Alphabet = "\"\\:;,=()?@%*.-01a Az\t\u00fc";
        var random = new Random(92);
        var failed = 0;
        for (var round = 0; round < 200_000; round++)
        {
            var field = string.Create(random.Next(1, 24), random, static (span, random) =>
            {
                foreach (ref var c in span)
                    c = Alphabet[random.Next(Alphabet.Length)];
            });
            if (ReadList(field) == "failed")
                failed++;
            ReadDictionary(field);
        }
        Assert.InRange(failed, 100_000, 199_999);
    }

    private static void Append(Random random, StringBuilder field, StringBuilder expected)
    {
        var number = random.NextInt64(-999_999_999_999_999, 1_000_000_000_000_000).ToString(CultureInfo.InvariantCulture);
        var (written, kind, text) = random.Next(5) switch
        {
            0 => (number, "Integer", number),
            1 => ($"\"a{number}\\\\\"", "String", $"a{number}\\\\"),
            2 => ($"t{number}", "Token", $"t{number}"),
            3 => ("?1", "Boolean", "1"),
            _ => ("12.5", "Decimal", "12.5"),
        };
        field.Append(written);
        expected.Append(kind).Append(':').Append(text);
    }

    private static string ReadList(string field)
    {
        var reader = new StructuredReader(field);
        var text = new StringBuilder();
        while (reader.NextMember() && reader.ReadItem(out var item))
        {
            text.Append(text.Length > 0 ? "|" : "").Append(Show(item));
            while (reader.NextParameter(out var key, out var value))
                text.Append(';').Append(key).Append('=').Append(Show(value));
        }
        return reader.Failed ? "failed" : text.ToString();
    }

    private static void ReadDictionary(string field)
    {
        var reader = new StructuredReader(field);
        while (reader.NextMember() && reader.NextKey(out _, out var hasValue) && (!hasValue || reader.ReadItem(out _)))
        {
            while (reader.NextParameter(out _, out _))
                continue;
        }
    }

    private static string Show(StructuredValue value)
    {
        var text = value.Kind is StructuredKind.Integer or StructuredKind.Date or StructuredKind.Boolean
            ? value.Integer.ToString(CultureInfo.InvariantCulture)
            : value.Text.ToString();
        return $"{value.Kind}:{text}";
    }
}
