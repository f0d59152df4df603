namespace Weir.LoadGen.Sending;

/// <summary>What became of a request, in three words.</summary>
internal enum Outcome
{
    /// <summary>The server let it pass.</summary>
    Allowed,

    /// <summary>The server refused it by its limit. A success: the limiter works.</summary>
    Limited,

    /// <summary>Neither.</summary>
    Failed,
}

/// <summary>Why a request failed.</summary>
internal enum Failure
{
    /// <summary>It did not.</summary>
    None,

    /// <summary>An answer of another status than those for allowed and limited.</summary>
    Status,

    /// <summary>The whole answer was not there in time.</summary>
    Timeout,

    /// <summary>Nobody listens at the address.</summary>
    Refused,

    /// <summary>The address could not be reached, or its name not be found.</summary>
    Unreachable,

    /// <summary>The connection was closed before an answer began.</summary>
    Closed,

    /// <summary>The answer broke off.</summary>
    Truncated,

    /// <summary>The encrypted connection could not be made.</summary>
    Tls,

    /// <summary>What came was not HTTP.</summary>
    NotHttp,

    /// <summary>Something else.</summary>
    Other,
}
