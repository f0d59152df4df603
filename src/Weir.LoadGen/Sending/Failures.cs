using System.Net.Http;
using System.Net.Sockets;

namespace Weir.LoadGen.Sending;

/// <summary>Tells failures apart and names them.</summary>
internal static class Failures
{
    /// <summary>All kinds, in the order of reports.</summary>
    public static readonly Failure[] All = Enum.GetValues<Failure>();

    /// <summary>The name in reports and statistics.</summary>
    public static string NameOf(Failure failure) => failure switch
    {
        Failure.Status => "other status",
        Failure.Timeout => "no answer in time",
        Failure.Refused => "connection refused",
        Failure.Unreachable => "unreachable",
        Failure.Closed => "closed without an answer",
        Failure.Truncated => "answer broke off",
        Failure.Tls => "TLS failed",
        Failure.NotHttp => "not HTTP",
        _ => "other error",
    };

    /// <summary>Why sending failed.</summary>
    /// <param name="error">What was thrown.</param>
    /// <param name="wasSent">Whether it had been written to a connection. When that is closed the HTTP stack connects once more, and tells only of what came of this.</param>
    /// <param name="answerBegan">Whether status and headers had come.</param>
    public static Failure Of(Exception error, bool wasSent, bool answerBegan) => error switch
    {
        OperationCanceledException => Failure.Timeout,
        HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError or HttpRequestError.ConnectionError } when wasSent =>
            Failure.Closed,
        HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } => Failure.Unreachable,
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } => Failure.Tls,
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } connect =>
            SocketErrorOf(connect) is SocketError.ConnectionRefused ? Failure.Refused : Failure.Unreachable,
        _ when SecondSendException.IsIn(error) => Failure.Closed,
        HttpRequestException { HttpRequestError: HttpRequestError.ResponseEnded } or HttpIOException { HttpRequestError: HttpRequestError.ResponseEnded } =>
            answerBegan ? Failure.Truncated : Failure.Closed,
        HttpRequestException { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.HttpProtocolError } => Failure.NotHttp,
        HttpIOException { HttpRequestError: HttpRequestError.InvalidResponse or HttpRequestError.HttpProtocolError } => Failure.NotHttp,
        _ when SocketErrorOf(error) is not null => answerBegan ? Failure.Truncated : Failure.Closed,
        _ => Failure.Other,
    };

    /// <summary>Whether a request that failed so may all the same have been decided by the server, and a permit taken.</summary>
    public static bool MayHaveBeenDecided(Failure failure) => failure is not (Failure.Refused or Failure.Unreachable or Failure.Tls);

    private static SocketError? SocketErrorOf(Exception? error)
    {
        for (; error is not null; error = error.InnerException)
        {
            if (error is SocketException socket)
                return socket.SocketErrorCode;
        }
        return null;
    }
}

/// <summary>Stops the HTTP stack from sending a request a second time by itself.</summary>
internal sealed class SecondSendException() : IOException("The connection was closed before an answer came.")
{
    /// <summary>Whether this is what was thrown, or what lies behind it.</summary>
    public static bool IsIn(Exception? error)
    {
        for (; error is not null; error = error.InnerException)
        {
            if (error is SecondSendException)
                return true;
        }
        return false;
    }
}
