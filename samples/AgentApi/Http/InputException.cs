namespace AgentApi.Http;

/// <summary>The request cannot be done as it is. The message names the field, the value and the cure.</summary>
internal sealed class InputException(string field, string message, int status = StatusCodes.Status400BadRequest) : Exception($"{field}: {message}")
{
    public int Status => status;
}
