namespace AgentApi.Hosting;

/// <summary>The service cannot start. The message says why and what to do, in one line.</summary>
internal sealed class StartException(string message, Exception? inner = null) : Exception(message, inner);
