using System.Globalization;
using System.Net.Http;

namespace Weir.LoadGen.Sending;

/// <summary>What an answer's headers say about the limit.</summary>
/// <param name="Limit"><c>X-RateLimit-Limit</c>, or <see cref="Unsaid"/>.</param>
/// <param name="Remaining"><c>X-RateLimit-Remaining</c>, or <see cref="Unsaid"/>.</param>
/// <param name="RetryAfterSeconds"><c>Retry-After</c> where it is a number of seconds, or <see cref="Unsaid"/>.</param>
internal readonly record struct Told(int Limit, int Remaining, int RetryAfterSeconds)
{
    /// <summary>The value of what was not said, or not as a whole number.</summary>
    public const int Unsaid = -1;

    /// <summary>No answer.</summary>
    public static readonly Told Nothing = new(Unsaid, Unsaid, Unsaid);

    /// <summary>Reads an answer's headers.</summary>
    public static Told By(HttpResponseMessage answer) =>
        new(Number(answer, "X-RateLimit-Limit"), Number(answer, "X-RateLimit-Remaining"), Number(answer, "Retry-After"));

    private static int Number(HttpResponseMessage answer, string header) =>
        answer.Headers.NonValidated.TryGetValues(header, out var values)
        && int.TryParse(values.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : Unsaid;
}
