// Each test wants all of the machine: four and more processes work for it.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
