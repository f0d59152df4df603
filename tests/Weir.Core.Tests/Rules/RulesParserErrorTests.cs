namespace Weir.Core.Tests.Rules;

/// <summary>Every mistake gets its place, its name and its cure.</summary>
public sealed class RulesParserErrorTests
{
    [Theory]
    // The cases that Envoy's service refuses.
    [InlineData("domain: ''\ndescriptors: []", "1:9: domain '' must be 1 to 128 characters without control characters.")]
    [InlineData("descriptors: []", "1:1: The file has no domain. Add domain: default for the rules of the simple API, or the name that requests give.")]
    [InlineData("domain: d\ndescriptors:\n- key: ''", "3:8: This descriptor has an empty key. Give it a name, such as user.")]
    [InlineData("domain: d\ndescriptors:\n- value: x", "3:3: This descriptor has no key. Add key, such as key: user.")]
    [InlineData("domain: d\ndescriptors:\n- key: a\n  value: b\n- key: a\n  value: b", "5:3: Descriptor 'a=b' stands here a second time; the first is on line 3. Merge the two.")]
    [InlineData("domain: d\ndescriptors:\n- key: a\n- key: a", "4:3: Descriptor 'a' stands here a second time; the first is on line 3. Merge the two.")]
    [InlineData("domain: d\ndescriptors:\n- key: a\n  share_threshold: true", "4:3: share_threshold lets the values that fit a pattern share a counter, but 'a' has no '*' in its value. Remove share_threshold, or use a pattern.")]
    [InlineData("domain: d\ndescriptors:\n- key: a\n  metadata: [1]", "4:13: metadata is a list and must be a mapping, such as metadata: {team: search}.")]
    [InlineData("domain: d\ndescriptors:\n- key: a\n  ratelimit: {}", "4:3: Unknown key 'ratelimit' in a descriptor. Did you mean 'rate_limit'?")]
    [InlineData("domain: d\n0.25: x\ndescriptors: []", "2:1: A key here is '0.25', a fraction. Keys are words: domain, descriptors.")]
    [InlineData("domain: d\ndescriptors:\n- a", "3:3: An entry of descriptors is text and must be a mapping, such as - key: user.")]
    [InlineData("domain: d\ndescriptors:\n- key: a\n  value: 0.5", "4:10: value 0.5 is a fraction in YAML and would lose its form. Put it in quotes: \"0.5\".")]
    // Shape.
    [InlineData("", "1:1: The file is empty. Write domain and descriptors, or remove the file.")]
    [InlineData("# only a comment\n", "1:1: The file is empty. Write domain and descriptors, or remove the file.")]
    [InlineData("---\n~\n", "1:1: The file is empty. Write domain and descriptors, or remove the file.")]
    [InlineData("- domain: d", "1:1: The file is a list and must be a mapping with domain and descriptors.")]
    [InlineData("hello", "1:1: The file is text and must be a mapping with domain and descriptors.")]
    [InlineData("domain: d", "1:1: The file has no descriptors. Add the list, or descriptors: [] for a domain without rules.")]
    [InlineData("domain: d\ndescriptors:", "2:1: descriptors is empty and must be a list, such as - key: user.")]
    [InlineData("domain: d\ndescriptors: {key: a}", "2:14: descriptors is a mapping and must be a list, such as - key: user.")]
    [InlineData("domain: [d]\ndescriptors: []", "1:9: domain is a list and must be a single value.")]
    [InlineData("domain:\ndescriptors: []", "1:1: domain has no value. Give it one, or remove the line.")]
    [InlineData("domain: \"a\\nb\"\ndescriptors: []", "1:9: domain 'a\nb' must be 1 to 128 characters without control characters.")]
    [InlineData("domain: d\ndomain: e\ndescriptors: []", "2:1: Key 'domain' stands here a second time; the first is on line 1. Remove one of them.")]
    [InlineData("domain: d\ndescriptors: []\n? [a]\n: b", "3:3: A key here is a list. Keys are words: domain, descriptors.")]
    [InlineData("domain: d\ndescriptors: []\n'': b", "3:1: A key here is empty. Keys are words: domain, descriptors.")]
    [InlineData("domain: d\ndescriptors: []\nlimit: 1", "3:1: Key 'limit' does not belong in the top of a file but in rate_limit. Move it there.")]
    [InlineData("domain: d\ndescriptors: []\nkarlsruhe: 1", "3:1: Unknown key 'karlsruhe' in the top of a file. Known are: domain, descriptors.")]
    [InlineData("domain: d\ndescriptors: []\n---\ndomain: d\ndescriptors: []", "4:1: Domain 'd' in r is already defined at r:1. Put its descriptors into one file.")]
    [InlineData("domain: d\ndescriptors:\n- key: a\n  rate_limit:", "4:3: rate_limit is empty and must be a mapping, such as rate_limit: {limit: 10, window: 1m}.")]
    [InlineData("domain: d\ndescriptors:\n- key: a\n  value:", "4:3: value has no value. Give it one, or remove the line.")]
    [InlineData("domain: d\ndescriptors:\n- key: 'fo*'", "3:8: key 'fo*' has a '*', but keys are matched exactly. Put the pattern in value.")]
    [InlineData("domain: d\ndescriptors:\n- key: a\n  shadow_mode: 1", "4:16: shadow_mode '1' must be true or false.")]
    [InlineData("domain: d\ndescriptors:\n- key: a\n  shadow_mode: 'true'", "4:16: shadow_mode 'true' must be true or false, without quotes.")]
    [InlineData("domain: d\ndescriptors:\n- key: a\n  shadowmode: true", "4:3: Unknown key 'shadowmode' in a descriptor. Did you mean 'shadow_mode'?")]
    [InlineData("domain: d\ndescriptors:\n- key: a\n  limit: 5", "4:3: Key 'limit' does not belong in a descriptor but in rate_limit. Move it there.")]
    [InlineData("domain: d\ndescriptors:\n- key: a\n  requestsperunit: 5", "4:3: Unknown key 'requestsperunit' in a descriptor. Did you mean 'requests_per_unit', which belongs in rate_limit?")]
    [InlineData("domain: d\ndescriptors:\n- key: a\n  <<: 5", "4:7: << is a number and must name a mapping or a list of mappings, such as <<: *defaults.")]
    public void Problem_OfTheTree(string yaml, string expected) => Assert.Equal([expected], RulesText.Problems(yaml));

    [Theory]
    [InlineData("unit: foo\nrequests_per_unit: 1", "5:11: unit 'foo' is not known. Choose one of second, minute, hour, day, week, month, year.")]
    [InlineData("unit: minutes\nrequests_per_unit: 1", "5:11: unit 'minutes' is not known. Did you mean 'minute'? Choose one of second, minute, hour, day, week, month, year.")]
    [InlineData("requests_per_unit: 1", "4:3: rate_limit has requests_per_unit but no unit. Add unit: second, minute, hour, day, week, month, year.")]
    [InlineData("unlimited: true\nunit: day", "6:5: unit has no place beside unlimited: true. Remove one of them.")]
    [InlineData("name: me\nlimit: 1\nwindow: 1s\nreplaces: [{name: me}]", "8:23: Rule 'me' replaces itself. Name another rule, or remove the entry.")]
    [InlineData("limit: 1\nwindow: 1s\nreplaces: [{}]", "7:16: An entry of replaces has no name. Give the name of the rule to replace, or remove the entry.")]
    [InlineData("limit: 1\nwindow: 1s\nreplaces: [{name: ''}]", "7:16: An entry of replaces has an empty name. Give the name of the rule to replace, or remove the entry.")]
    [InlineData("limit: 1\nwindow: 1s\nreplaces: [a]", "7:16: An entry of replaces is text and must be a mapping, such as - name: other-rule.")]
    [InlineData("limit: 1\nwindow: 1s\nreplaces: [{nam: a}]", "7:16: An entry of replaces has no name. Give the name of the rule to replace, or remove the entry.|7:17: Unknown key 'nam' in an entry of replaces. Did you mean 'name'?")]
    [InlineData("unit: day\nrequests_per_unit: -1", "6:24: requests_per_unit '-1' must be a whole number from 0 to 4,294,967,295.")]
    [InlineData("unit: day\nrequests_per_unit: 4294967296", "6:24: requests_per_unit '4294967296' must be a whole number from 0 to 4,294,967,295.")]
    [InlineData("unit: day\nrequests_per_unit: 99999999999999999999999", "6:24: requests_per_unit '99999999999999999999999' must be a whole number from 0 to 4,294,967,295.")]
    [InlineData("unit: day\nrequests_per_unit: \"5\"", "6:24: requests_per_unit '5' must be a whole number from 0 to 4,294,967,295. Remove the quotes.")]
    [InlineData("unit: day\nrequests_per_unit: five", "6:24: requests_per_unit 'five' must be a whole number from 0 to 4,294,967,295.")]
    [InlineData("unit: day\nrequests_per_unit: 010", "6:24: requests_per_unit '010' must be a whole number from 0 to 4,294,967,295. Remove the leading 0.")]
    [InlineData("unit: day\nrequests_per_unit: [1]", "6:24: requests_per_unit is a list and must be a single value.")]
    [InlineData("limit: 1.5\nwindow: 1m", "5:12: limit '1.5' must be a whole number from 0 to 4,294,967,295. Fractions are not allowed.")]
    [InlineData("limit: 1e3\nwindow: 1m", "5:12: limit '1e3' must be a whole number from 0 to 4,294,967,295. Fractions are not allowed.")]
    [InlineData("limit: .inf\nwindow: 1m", "5:12: limit '.inf' must be a whole number from 0 to 4,294,967,295. Fractions are not allowed.")]
    [InlineData("limit: 1\nwindow: 60", "6:13: window '60' is not a duration. Add a unit, such as 60s.")]
    [InlineData("limit: 1\nwindow: 1.5h", "6:13: window '1.5h' is not a duration. Write whole numbers with d, h, m, s or ms, such as 1h30m.")]
    [InlineData("limit: 1\nwindow: -1s", "6:13: window '-1s' is not a duration. Write whole numbers with d, h, m, s or ms, such as 1h30m.")]
    [InlineData("limit: 1\nwindow: 400d", "6:13: window 400d is longer than 366d. Choose a shorter window.")]
    [InlineData("limit: 1\nwindow: 9000000000000000000us", "6:13: window 9000000000000000000us is longer than 366d. Choose a shorter window.")]
    [InlineData("limit: 1\nwindow: 0s", "4:3: Rule 'a': window 0s must be 1ms to 366d for sliding-window.")]
    [InlineData("limit: 1", "4:3: rate_limit has a limit but no window. Add window, such as window: 1m (for concurrency: how long a lease lasts).")]
    [InlineData("window: 1m", "4:3: rate_limit has a window but no limit. Add limit: how many permits a window has; 0 refuses everything.")]
    [InlineData("name: a", "4:3: rate_limit says no limit. Give limit and window, or requests_per_unit and unit, or unlimited: true.")]
    [InlineData("calendar: day", "4:3: rate_limit says no limit. Give limit and window, or requests_per_unit and unit, or unlimited: true.")]
    [InlineData("limit: 1\nrequests_per_unit: 1\nunit: day", "6:5: requests_per_unit and limit (line 5) stand in one rate_limit. They say the same: keep limit (with window), or requests_per_unit (with unit).")]
    [InlineData("limit: 1\nwindow: 1s\nunit: day", "7:5: unit and window (line 6) stand in one rate_limit. They say the same: keep window (with limit), or unit (with requests_per_unit).")]
    [InlineData("limit: 1\nunit: day", "6:5: unit goes with requests_per_unit, and limit with window. Write window instead, such as window: 1m.")]
    [InlineData("requests_per_unit: 1\nwindow: 1m", "6:5: window goes with limit, and requests_per_unit with unit. Write limit instead of requests_per_unit.")]
    [InlineData("limit: 1\ncalendar: day\nwindow: 1d", "7:5: window and calendar (line 6) stand in one rate_limit. The calendar unit is the window: remove window.")]
    [InlineData("requests_per_unit: 1\ncalendar: day\nunit: day", "7:5: unit and calendar (line 6) stand in one rate_limit. The calendar unit is the window: remove unit.")]
    [InlineData("algorithm: leaky-bucket\nlimit: 1\nwindow: 1s", "5:16: algorithm 'leaky-bucket' is not known. Choose one of sliding-window, token-bucket, fixed-window, sliding-counter, concurrency.")]
    [InlineData("algorithm: token_buckets\nlimit: 1\nwindow: 1s", "5:16: algorithm 'token_buckets' is not known. Did you mean 'token-bucket'? Choose one of sliding-window, token-bucket, fixed-window, sliding-counter, concurrency.")]
    [InlineData("limit: 1\nwindow: 1s\nfailure: shut", "7:14: failure 'shut' is not known. Choose one of closed, open, local.")]
    [InlineData("limit: 1\nwindow: 1s\nfailure: 1", "7:14: failure '1' is not known. Choose one of closed, open, local.")]
    [InlineData("limit: 1\ncalendar: fortnight\ntime_zone: Europe/Berlin", "6:15: calendar 'fortnight' is not known. Choose one of minute, hour, day, week, month, year.")]
    [InlineData("limit: 1\ncalendar: day\ntime_zone: Europe/Atlantis", "4:3: Rule 'a': time zone 'Europe/Atlantis' is not known; use an IANA name such as Europe/Berlin.")]
    [InlineData("limit: 1\nwindow: 1s\ntime_zone: Europe/Berlin", "4:3: Rule 'a': time zone 'Europe/Berlin' needs a calendar unit.")]
    [InlineData("limit: 1\nwindow: 1s\nburst: 0", "7:12: burst '0' must be a whole number from 1 to 1,000,000,000.")]
    [InlineData("limit: 1\nwindow: 1s\nburst: 5", "4:3: Rule 'a': burst 5 is for token-bucket only, not sliding-window. Remove it or set algorithm: token-bucket.")]
    [InlineData("limit: 5000000\nwindow: 1s", "4:3: Rule 'a': limit 5000000 must be 0 to 1,000,000 for sliding-window. It remembers every admitted request; use token-bucket or sliding-counter for more.")]
    [InlineData("limit: 1\nwindow: 1s\nname: ''", "7:5: name is empty. Give one, or remove the line to name the rule after its place.")]
    [InlineData("limit: 1\nwindow: 1s\nname: größe", "4:3: Rule 'größe': name must be 1 to 128 printable ASCII characters.")]
    [InlineData("limit: 1\nwindow: 1s\nlimt: 1", "7:5: Unknown key 'limt' in rate_limit. Did you mean 'limit'?")]
    [InlineData("limit: 1\nwindow: 1s\nlimit: 1", "7:5: Key 'limit' stands here a second time; the first is on line 5. Remove one of them.")]
    [InlineData("limit: 1\nwindow: 1s\nshadow_mode: true", "7:5: Key 'shadow_mode' does not belong in rate_limit but in a descriptor. Move it there.")]
    [InlineData("limit: !big 1\nwindow: 1s", "5:12: The tag !big has no meaning here. Remove it.")]
    public void Problem_OfALimit(string lines, string expected) =>
        Assert.Equal(expected.Split('|'), RulesText.Problems(RulesText.WithLimit(lines.Split('\n'))));

    [Theory]
    [InlineData("domain: d\n\tdescriptors: []", "2:1: This line is indented with a tab. YAML indents with spaces: replace the tab.")]
    [InlineData("domain: d\ndescriptors:\n- key: a\n  value: *b", "4:10: The alias *b names nothing above it. Define &b first, or for a wildcard put it in quotes: \"*b\".")]
    [InlineData("domain: d\ndescriptors:\n- key: a\n  value: *", "4:10: A value that begins with '*' is an alias in YAML. For a wildcard put it in quotes: \"*\".")]
    [InlineData("domain: d\ndescriptors: &d\n- *d", "3:3: An entry of descriptors is text and must be a mapping, such as - key: user.|3:3: The alias *d stands inside the value that it names. Remove it.")]
    [InlineData("domain: a: b", "1:10: A second ': ' follows a value. Put the value in quotes, or indent this line like the lines around it.")]
    [InlineData("domain: 'd\ndescriptors: []", "1:9: The quote that opens here is never closed.")]
    [InlineData("domain: @d", "1:9: A value cannot begin with '@'. Put the value in quotes.")]
    [InlineData("domain: \"\\q\"", "1:9: This escape is not known in double quotes. Write \\\\ for a backslash, or use single quotes.")]
    [InlineData("domain: d\ndescriptors: [{key: a}", "3:1: A bracket opened above is not closed, or a comma is missing.")]
    [InlineData("domain: d\ndescriptors:\n- key: a\n   value: b", "4:9: A second ': ' follows a value. Put the value in quotes, or indent this line like the lines around it.")]
    [InlineData("domain: d\ndescriptors:\n- key: a\n value: b", "4:2: The indentation does not fit the lines above. Align it with the keys or list items it belongs to.")]
    [InlineData("domain: d\0", "1:10: The control character U+0000 is not allowed in YAML. Remove it.")]
    [InlineData("%YAML 9.9\n---\ndomain: d", "1:1: Not valid YAML: Found incompatible YAML document.")]
    public void Problem_OfSyntax(string yaml, string expected) =>
        Assert.Equal(expected.Split('|'), RulesText.Problems(yaml).Order(StringComparer.Ordinal));

    [Fact]
    public void Problems_AreReportedAllAtOnce_InOrder()
    {
        var problems = RulesText.Problems("""
            domain: d
            descriptors:
              - key: a
                rate_limit:
                  limit: 1.5
                  window: 60
                  burts: 3
              - key: b
                value: 0.5
                rate_limit: { name: x, unit: fortnight, requests_per_unit: -1 }
              - kay: c
              - key: d
                rate_limit: { name: x, unit: day, requests_per_unit: 1 }
                descriptors:
                  - key: e
                    rate_limit: { algorithm: concurrency, limit: 20000, window: 1s }
              - key: a
            """);

        Assert.Equal(
            [
                "5:14: limit '1.5' must be a whole number from 0 to 4,294,967,295. Fractions are not allowed.",
                "6:15: window '60' is not a duration. Add a unit, such as 60s.",
                "7:7: Unknown key 'burts' in rate_limit. Did you mean 'burst'?",
                "9:12: value 0.5 is a fraction in YAML and would lose its form. Put it in quotes: \"0.5\".",
                "10:34: unit 'fortnight' is not known. Choose one of second, minute, hour, day, week, month, year.",
                "10:64: requests_per_unit '-1' must be a whole number from 0 to 4,294,967,295.",
                "11:5: Unknown key 'kay' in a descriptor. Did you mean 'key'?",
                "11:5: This descriptor has no key. Add key, such as key: user.",
                "13:19: Rule name 'x' is taken: the rule on line 10 of domain 'd' has it. Choose another name.",
                "16:9: Rule 'd/e': limit 20000 must be 0 to 10,000 for concurrency.",
                "17:5: Descriptor 'a' stands here a second time; the first is on line 3. Merge the two.",
            ],
            problems);
    }

    [Fact]
    public void Problems_OfSeveralFiles_KeepTheirOrder_AndADuplicateDomainNamesBoth()
    {
        var result = RulesParser.Parse(
            new RulesFile("b.yaml", "domain: d\ndescriptors: [{kee: x}]"),
            new RulesFile("a.yaml", "# rules\ndomain: d\ndescriptors: []"),
            new RulesFile("c.yaml", "domain: 'x"));

        Assert.Null(result.Rules);
        Assert.Equal(
            [
                "b.yaml:2:15: This descriptor has no key. Add key, such as key: user.",
                "b.yaml:2:16: Unknown key 'kee' in a descriptor. Did you mean 'key'?",
                "a.yaml:2:1: Domain 'd' in a.yaml is already defined at b.yaml:1. Put its descriptors into one file.",
                "c.yaml:1:9: The quote that opens here is never closed.",
            ],
            result.Problems.Select(p => p.ToString()));
    }

    [Fact]
    public void Name_OfAnotherRulesPlace_IsTaken() =>
        Assert.Equal(
            ["6:17: Rule name 'a' is taken: the rule on line 4 of domain 'd' has it. Choose another name."],
            RulesText.Problems("domain: d\ndescriptors:\n- key: a\n  rate_limit: {limit: 1, window: 1s}\n- key: b\n  rate_limit: { name: a, limit: 1, window: 1s}"));

    [Fact]
    public void Names_InDifferentDomains_MayBeEqual()
    {
        const string Domain = "descriptors:\n- key: a\n  rate_limit: {name: x, limit: 1, window: 1s}\n";

        Assert.Empty(RulesText.Problems($"domain: d\n{Domain}---\ndomain: e\n{Domain}"));
    }

    [Theory]
    [InlineData(512, true)]
    [InlineData(513, false)]
    public void KeysAndValues_AreBoundedInBytes(int bytes, bool isAccepted)
    {
        var text = new string('ä', bytes / 2) + new string('a', bytes % 2);
        string[] expected = isAccepted ? [] : ["3:8: key has 513 bytes and may have 512. Shorten it.", "5:10: value has 513 bytes and may have 512. Shorten it."];

        Assert.Equal(expected, RulesText.Problems($"domain: d\ndescriptors:\n- key: {text}\n- key: b\n  value: {text}\n"));
    }

    [Theory]
    [InlineData(128, true)]
    [InlineData(129, false)]
    public void Domain_IsBounded(int length, bool isAccepted) =>
        Assert.Equal(isAccepted ? 0 : 1, RulesText.Problems($"domain: {new string('d', length)}\ndescriptors:\n- key: a\n  rate_limit: {{limit: 1, window: 1s}}\n").Length);
}
