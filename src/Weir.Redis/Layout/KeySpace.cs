using System.Text;
using Weir.Resp;

namespace Weir.Redis;

/// <summary>
/// The names of keys. All keys of a shard carry one hash tag, so that a Cluster keeps them in one slot and a script may use them together. One server has
/// one shard, because a batch goes to one; a Cluster has sixteen, whose slots lie evenly.
/// </summary>
internal sealed class KeySpace
{
    /// <summary>Shards of a Cluster. Fixed, because it decides where counters are.</summary>
    public const int ClusterShards = 16;

    private readonly string _prefix;
    private readonly string[] _tags;

    public KeySpace(string prefix, bool isCluster)
    {
        _prefix = prefix;
        _tags = isCluster ? EvenTags() : ["0"];
        Slots = Array.ConvertAll(_tags, static tag => RespSlots.Of(Encoding.ASCII.GetBytes(tag)));
    }

    /// <summary>The Cluster slot of each shard.</summary>
    public int[] Slots { get; }

    public int Shards => _tags.Length;

    /// <summary>The shard of a counter.</summary>
    public int ShardOf(CounterId id) => Shards == 1 ? 0 : (int)(id.High & (ClusterShards - 1));

    /// <summary>The shard's record: its clock and what it says about its data.</summary>
    public string Record(int shard) => $"{_prefix}:{{{_tags[shard]}}}:clock";

    /// <summary>Counters of a class and generation, without the generation's number.</summary>
    public string Counters(int shard, int storageClass) => $"{_prefix}:{{{_tags[shard]}}}:{StorageClasses.NameOf(storageClass)}:";

    /// <summary>What counters are called, for listings, without the generation's number.</summary>
    public string Names(int shard, int storageClass) => $"{_prefix}:{{{_tags[shard]}}}:names:{StorageClasses.NameOf(storageClass)}:";

    /// <summary>The rules that such counters count by, without the generation's number.</summary>
    public string Rules(int shard, int storageClass) => $"{_prefix}:{{{_tags[shard]}}}:rules:{StorageClasses.NameOf(storageClass)}:";

    // The smallest numbers whose slots lie each in another sixteenth of all.
    private static string[] EvenTags()
    {
        var tags = new string?[ClusterShards];
        for (var number = 0; tags.Contains(null); number++)
        {
            var tag = $"{number}";
            tags[RespSlots.Of(Encoding.ASCII.GetBytes(tag)) * ClusterShards / RespSlots.Count] ??= tag;
        }
        return tags!;
    }
}
