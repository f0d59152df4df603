namespace Weir.Server.Deciding;

/// <summary>A request that cannot be understood. Nothing was decided and nothing charged.</summary>
/// <param name="field">The field at fault, such as <c>checks[3].cost</c>.</param>
/// <param name="message">The value and the cure.</param>
/// <param name="status">HTTP status, 400 unless another says it better.</param>
internal sealed class InputException(string field, string message, int status = 400) : Exception($"{field}: {message}")
{
    public string Field { get; } = field;

    public int Status { get; } = status;
}
