using Weir.Cli;

return await WeirCommand.RunAsync(args, Console.Out, Console.Error);
