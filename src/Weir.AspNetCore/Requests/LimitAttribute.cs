namespace Weir.AspNetCore;

/// <summary>Applies a limit to an endpoint, or to all actions of a controller. Several apply together: a request is charged to all or none.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method | AttributeTargets.Delegate, AllowMultiple = true)]
public sealed class LimitAttribute : Attribute
{
    private int? _cost;

    /// <summary>Applies a limit.</summary>
    /// <param name="name">Its name in <see cref="WeirOptions.Limits"/>. A name that is not there stops the application from starting.</param>
    public LimitAttribute(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        Name = name;
    }

    /// <summary>Name of the limit.</summary>
    public string Name { get; }

    /// <summary>Permits that a request to this endpoint takes, in place of what the limit says.</summary>
    /// <value>0 to 1,000,000. Default: what the limit says.</value>
    public int Cost
    {
        get => _cost ?? 1;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, RuleBounds.MaxCost);
            _cost = value;
        }
    }

    internal int? OwnCost => _cost;
}

/// <summary>Exempts an endpoint, or all actions of a controller, from every limit, also from global ones.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method | AttributeTargets.Delegate)]
public sealed class NoLimitAttribute : Attribute;
