using System.Reflection;
using System.Runtime.CompilerServices;

namespace Weir.Core.Tests;

/// <summary>
/// The public surface of Weir.Core against <c>PublicApi.txt</c>, so that a change to it is seen in review. To accept a change, run the tests with
/// <c>WEIR_ACCEPT_API=1</c> and commit the file.
/// </summary>
public class PublicApiTests
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    // What the compiler writes for every record says nothing that the record does not.
    private static readonly string[] OfRecords = ["ToString", "Equals", "GetHashCode", "<Clone>$", "PrintMembers", "op_Equality", "op_Inequality", "EqualityContract", "Deconstruct"];

    [Fact]
    public void Surface_IsTheAcceptedOne()
    {
        var actual = typeof(Rule).Assembly.GetExportedTypes().OrderBy(t => t.FullName, StringComparer.Ordinal).SelectMany(Describe).ToArray();
        if (Environment.GetEnvironmentVariable("WEIR_ACCEPT_API") == "1")
            File.WriteAllLines(Path.Combine(Path.GetDirectoryName(ThisFile())!, "PublicApi.txt"), actual);
        var accepted = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "PublicApi.txt"));
        var difference = accepted.Except(actual).Select(l => $"- {l}").Concat(actual.Except(accepted).Select(l => $"+ {l}")).ToArray();
        Assert.True(
            difference.Length == 0,
            $"The public surface of Weir.Core changed:\n{string.Join('\n', difference)}\nIf that is meant, run the tests with WEIR_ACCEPT_API=1 and commit tests/Weir.Core.Tests/PublicApi.txt.");
    }

    private static IEnumerable<string> Describe(Type type)
    {
        var kind = type.IsEnum ? "enum" : type.IsInterface ? "interface" : type.IsValueType ? "struct" : type.IsAbstract && type.IsSealed ? "static class" : "class";
        var bases = new[] { type.BaseType }.Where(b => b is not null && b != typeof(object) && b != typeof(ValueType) && b != typeof(Enum)).Concat(Interfaces(type));
        var inherits = string.Join(", ", bases.Select(b => Name(b!)));
        yield return $"{kind} {Name(type)}{(inherits.Length > 0 ? " : " : "")}{inherits}";
        foreach (var member in type.GetMembers(Declared).Select(m => Describe(type, m)).OfType<string>().Order(StringComparer.Ordinal))
            yield return $"{Name(type)}: {member}";
    }

    private static IEnumerable<Type> Interfaces(Type type) => type.GetInterfaces().Where(i => i.Namespace == "Weir").OrderBy(i => i.Name, StringComparer.Ordinal);

    private static string? Describe(Type type, MemberInfo member) => member switch
    {
        _ when OfRecords.Contains(member.Name) => null,
        FieldInfo { IsPublic: true, IsLiteral: true } f => $"{(type.IsEnum ? "" : "const ")}{f.Name} = {f.GetRawConstantValue()}",
        FieldInfo { IsPublic: true, IsSpecialName: false } f => $"field {Name(f.FieldType)} {f.Name}",
        PropertyInfo p when Accessors(p) is { Length: > 0 } accessors =>
            $"{Static(p.GetMethod ?? p.SetMethod)}{Name(p.PropertyType)} {p.Name}{Parameters(p.GetIndexParameters(), "[", "]")} {{ {accessors}}}",
        ConstructorInfo { IsPublic: true } c => $"new{Parameters(c.GetParameters())}",
        MethodInfo { IsPublic: true } m when !m.IsSpecialName || m.Name.StartsWith("op_", StringComparison.Ordinal) =>
            $"{Static(m)}{Name(m.ReturnType)} {m.Name}{Parameters(m.GetParameters())}",
        _ => null,
    };

    private static string Accessors(PropertyInfo property) =>
        (property.GetMethod is { IsPublic: true } ? "get; " : "")
        + (property.SetMethod is { IsPublic: true } set ? (set.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ? "init; " : "set; ") : "");

    private static string Static(MethodInfo? method) => method is { IsStatic: true } ? "static " : "";

    private static string Parameters(ParameterInfo[] parameters, string open = "(", string close = ")") =>
        parameters.Length == 0 && open == "["
            ? ""
            : open + string.Join(", ", parameters.Select(p => $"{Direction(p)}{Name(p.ParameterType)} {p.Name}{(p.HasDefaultValue ? $" = {p.DefaultValue ?? "default"}" : "")}")) + close;

    private static string Direction(ParameterInfo parameter) => !parameter.ParameterType.IsByRef ? "" : parameter.IsOut ? "out " : parameter.IsIn ? "in " : "ref ";

    private static string Name(Type type)
    {
        if (type.IsByRef)
            return Name(type.GetElementType()!);
        if (type.IsArray)
            return $"{Name(type.GetElementType()!)}[]";
        if (Nullable.GetUnderlyingType(type) is { } value)
            return $"{Name(value)}?";
        var name = type.IsNested && !type.IsGenericParameter ? $"{Name(type.DeclaringType!)}.{type.Name}" : type.Name;
        return type.IsGenericType ? $"{name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>" : name;
    }

    private static string ThisFile([CallerFilePath] string path = "") => path;
}
