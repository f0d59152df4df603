using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Weir.Server.Deciding;
using Weir.Server.Http;

namespace Weir.Server.Management;

/// <summary>How management answers: snake_case JSON.</summary>
internal static class ManagementResults
{
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        // Answers are never put into HTML, so quotes and letters can stay readable.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static IResult Ok(object body) => Results.Json(body, Json);

    public static IResult Problem(InputException problem) => Results.Json(
        new { Type = "about:blank", Title = Http.Problem.TitleOf(problem.Status), problem.Status, Detail = problem.Message, problem.Field },
        Json, "application/problem+json", problem.Status);

    /// <summary>A 400 that lists problems, such as those of a rules file.</summary>
    public static IResult Problems(string detail, IReadOnlyList<string> problems) => Results.Json(
        new { Type = "about:blank", Title = Http.Problem.TitleOf(400), Status = 400, Detail = detail, Problems = problems },
        Json, "application/problem+json", 400);

    /// <summary>Reads a page's bounds from the query.</summary>
    public static (int Limit, long Cursor) Page(HttpRequest request)
    {
        var limit = request.Query["limit"].ToString();
        var cursor = request.Query["cursor"].ToString();
        return (limit.Length == 0 ? 100 : (int)InputRanges.Whole("limit", limit, 1, 10_000),
            cursor.Length == 0 ? 0 : InputRanges.Whole("cursor", cursor, 0, long.MaxValue));
    }
}
