// One application, limited in the way that its first argument says: a token bucket per value of the header X-User, wide enough to refuse nobody. With get it is not limited,
// but asks the node for its health before each answer: what a round trip to the node costs an application.
//   LimitedApp none|ratelimiter|memory|memory-bare|nodes|get PORT [NODE]
using System.Buffers;
using System.Threading.RateLimiting;
using Weir;
using Weir.AspNetCore;

var (way, port) = (args[0], args[1]);
var builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
builder.WebHost.ConfigureKestrel(static kestrel => kestrel.AddServerHeader = false);
if (way == "ratelimiter")
{
    builder.Services.AddRateLimiter(options => options.AddPolicy("user", static context => RateLimitPartition.GetTokenBucketLimiter(
        context.Request.Headers["X-User"].ToString(),
        static _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = 1_000_000,
            TokensPerPeriod = 1_000_000,
            ReplenishmentPeriod = TimeSpan.FromSeconds(1),
            QueueLimit = 0,
        })));
}
else if (way is not ("none" or "get"))
{
    var weir = builder.Services.AddWeir(options =>
    {
        options.Headers = way == "memory-bare" ? LimitHeaderKinds.None : LimitHeaderKinds.All;
        options.AddLimit("user", limit =>
        {
            (limit.Algorithm, limit.Permits, limit.Window) = (AlgorithmKind.TokenBucket, 1_000_000, TimeSpan.FromSeconds(1));
            limit.Key = static context => context.Request.Headers["X-User"];
        });
    });
    if (way == "nodes")
        weir.UseNodes(args[2]);
}

var app = builder.Build();
if (way == "ratelimiter")
    app.UseRateLimiter();
else if (way == "get")
    UseRoundTrip(app, new Uri(new Uri(args[2]), "/health"));
else if (way != "none")
    app.UseWeir();
var body = "{\"hello\":\"world\"}"u8.ToArray();
var endpoint = app.MapGet("/", context =>
{
    context.Response.ContentType = "application/json";
    context.Response.ContentLength = body.Length;
    context.Response.BodyWriter.Write(body);
    return Task.CompletedTask;
});
if (way == "ratelimiter")
    endpoint.RequireRateLimiting("user");
else if (way is not ("none" or "get"))
    endpoint.RequireLimit("user");
app.Run($"http://127.0.0.1:{port}");

static void UseRoundTrip(WebApplication app, Uri address)
{
    var http = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false, ActivityHeadersPropagator = null });
    app.Use(async (context, next) =>
    {
        using var question = new HttpRequestMessage(HttpMethod.Get, address);
        using var answer = await http.SendAsync(question, context.RequestAborted);
        await answer.EnsureSuccessStatusCode().Content.CopyToAsync(Stream.Null);
        await next(context);
    });
}
