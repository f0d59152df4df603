using System.Collections;
using AgentApi.Configuration;
using AgentApi.Health;
using AgentApi.Hosting;

if (args is ["health"])
    return await HealthCommand.RunAsync();

var environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(static e => (string)e.Key, static e => e.Value as string ?? "");
var problems = new List<string>();
var config = AgentConfig.TryCreate(environment, problems);
foreach (var problem in problems)
    await Console.Error.WriteLineAsync($"agent-api: {problem}");
return config is null ? 1 : await AgentHost.RunAsync(config);
