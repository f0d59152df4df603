using BenchmarkDotNet.Running;
using Weir.Benchmarks;
using Weir.Benchmarks.Compare;

if (args is ["compare", .. var rest])
    return CompareCommand.Run(rest);
BenchmarkSwitcher.FromAssembly(typeof(BenchConfig).Assembly).Run(args, new BenchConfig());
return 0;
