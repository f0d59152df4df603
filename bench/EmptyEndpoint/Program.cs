// What a server on Kestrel costs that does nothing: a fixed JSON body to every request, and no logging.
using System.Buffers;

var builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
builder.WebHost.ConfigureKestrel(static kestrel => kestrel.AddServerHeader = false);
var app = builder.Build();
var body = "{\"allowed\":true}"u8.ToArray();
app.Run(context =>
{
    context.Response.ContentType = "application/json";
    context.Response.ContentLength = body.Length;
    context.Response.BodyWriter.Write(body);
    return Task.CompletedTask;
});
app.Run($"http://127.0.0.1:{(args is [var port] ? port : "8010")}");
