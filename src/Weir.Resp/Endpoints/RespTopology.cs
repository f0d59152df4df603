namespace Weir.Resp;

/// <summary>How the servers behind a URL belong together.</summary>
public enum RespTopology
{
    /// <summary>One server. <c>redis://</c></summary>
    Standalone,

    /// <summary>A Redis or Valkey Cluster; the endpoints are nodes to ask for the others. <c>redis+cluster://</c></summary>
    Cluster,

    /// <summary>A primary that Sentinels watch; the endpoints are Sentinels. <c>redis-sentinel://</c></summary>
    Sentinel,
}
