using Weir.Stack.Tests.Running;

namespace Weir.Stack.Tests.Production;

/// <summary>What outlives the stack. It comes last of all: the data is gone afterwards.</summary>
[Collection("7 data")]
public sealed class DataTests(Stacks stacks)
{
    [Fact]
    public async Task C6_DataOutlivesDownAndGoesWithItsVolumes()
    {
        var stack = await stacks.ProductionAsync();
        var key = (await File.ReadAllLinesAsync(Path.Combine(stack.Folder, "secrets/api_keys")))[0].Split(':', 2)[1].Trim();
        var (id, _) = await Talk.BeginAsync(stack, key);
        await stack.ComposeAsync("down", "--timeout", "20");
        Assert.Contains($"{stack.Project}-db-data", await VolumesAsync(stack));
        await stack.UpAsync();
        Assert.Contains("remember the weir", (await Talk.AskAsync(stack, key, HttpMethod.Get, $"/conversations/{id}")).GetRawText());
        Assert.Contains(id, (await Talk.AskAsync(stack, key, HttpMethod.Get, "/session")).GetRawText());

        await stack.ComposeAsync("down", "--volumes", "--timeout", "20");

        Assert.Empty(await VolumesAsync(stack));
    }

    private static async Task<string[]> VolumesAsync(ComposeStack stack) => (await Shell.DockerAsync("volume", "ls", "--quiet", "--filter", $"name={stack.Project}")).Ok().Lines;
}
