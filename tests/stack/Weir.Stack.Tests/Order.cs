using System.Runtime.Versioning;
using Xunit.Sdk;
using Xunit.v3;

// They send signals to processes of containers.
[assembly: SupportedOSPlatform("linux")]
[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: TestCollectionOrderer(typeof(Weir.Stack.Tests.ByName))]
[assembly: TestCaseOrderer(typeof(Weir.Stack.Tests.ByName))]
[assembly: AssemblyFixture(typeof(Weir.Stack.Tests.Running.Stacks))]

namespace Weir.Stack.Tests;

/// <summary>
/// Tests share stacks, because bringing one up takes a minute. Collections run by their names, which begin with a number, and so go from stack
/// to stack once; within a class tests run by their ids.
/// </summary>
public sealed class ByName : ITestCollectionOrderer, ITestCaseOrderer
{
    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(static c => c.TestCollectionDisplayName, StringComparer.Ordinal)];

    public IReadOnlyCollection<TTestCase> OrderTestCases<TTestCase>(IReadOnlyCollection<TTestCase> testCases)
        where TTestCase : notnull, ITestCase =>
        [.. testCases.OrderBy(static c => int.Parse(Program.IdOf(c.TestMethod!.MethodName).AsSpan(1))).ThenBy(static c => c.TestMethod!.MethodName, StringComparer.Ordinal)];
}
