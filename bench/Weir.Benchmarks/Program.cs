using BenchmarkDotNet.Running;
using Weir.Benchmarks;
using Weir.Benchmarks.Compare;
using Weir.Benchmarks.Shared;

if (args is ["compare", .. var rest])
    return CompareCommand.Run(rest);
if (args is ["shared", .. var others])
    return await SharedCommand.RunAsync(others);
BenchmarkSwitcher.FromAssembly(typeof(BenchConfig).Assembly).Run(args, new BenchConfig());
return 0;
