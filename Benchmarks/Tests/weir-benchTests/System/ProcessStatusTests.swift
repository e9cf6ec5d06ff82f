import Testing

@testable import weir_bench

@Suite("/proc/PID/stat")
struct ProcessStatusTests {
    @Test(
        "Names may hold blanks, parentheses and line feeds",
        arguments: ["nginx", "a b", "(x) y)", ") S 1 2 3 (", "", "new\nline"]
    )
    func names(_ name: String) throws {
        let line = "4711 (\(name)) S 17 4700 4700 0 -1 4194624 100 0 0 0 12 34 5 6 20 0 1 0 99 1 2"
        let status = try #require(ProcessStatus(parsing: line))
        #expect(status.processIdentifier == 4711)
        #expect(status.name == name)
        #expect(status.state == "S")
        #expect(status.parent == 17)
        #expect(status.group == 4700)
        #expect(status.ticks == 12 + 34 + 5 + 6)
    }

    @Test(
        "A damaged line gives nothing",
        arguments: ["", "1", "1 (x", "1 x) S 1 1", "1 (x) S 1", "a (x) S 1 1", ")1("]
    )
    func damaged(_ line: String) {
        #expect(ProcessStatus(parsing: line) == nil)
    }

    @Test("No prefix of a good line traps")
    func prefixes() {
        let line = "4711 (x y) R 17 4700 4700 0 -1 4194624 100 0 0 0 12 34 5 6 20 0"
        for length in 0..<line.count { _ = ProcessStatus(parsing: line.prefix(length)) }
    }

    @Test("This process is in its own group, with time and memory")
    func own() throws {
        let text = try #require(TextFile.read("/proc/self/stat"))
        let status = try #require(ProcessStatus(parsing: text))
        let group = ProcessGroup(identifier: status.group)
        #expect(group.members().contains { $0.processIdentifier == status.processIdentifier })
        #expect(group.residentBytes() > 0)
    }

    @Test("Others are all but the given groups and the kernel's threads")
    func others() throws {
        func process(_ identifier: Int32, parent: Int32, group: Int32, ticks: Int) throws -> ProcessStatus {
            let line = "\(identifier) (x) S \(parent) \(group) 0 0 -1 0 0 0 0 0 \(ticks) 0 0 0 20 0"
            return try #require(ProcessStatus(parsing: line))
        }
        let processes = [
            try process(1, parent: 0, group: 1, ticks: 1), try process(2, parent: 0, group: 0, ticks: 10),
            try process(15, parent: 2, group: 0, ticks: 100), try process(70, parent: 1, group: 60, ticks: 1000),
            try process(80, parent: 1, group: 80, ticks: 10000),
        ]
        let seconds = ProcessStatus.secondsOfOthers(than: [60], among: processes)
        #expect(seconds == ProcessStatus.seconds(ofTicks: 10001))
    }

    @Test("The proportional size is read in bytes")
    func rollup() throws {
        let text = "00400000-7ffd ---p 00000000 00:00 0 [rollup]\nRss:     2048 kB\nPss:     1024 kB\nPss_Dirty: 3 kB\n"
        let bytes = try #require(ProcessGroup.proportionalBytes(inRollup: text))
        #expect(bytes == 1024 * 1024)
        #expect(ProcessGroup.proportionalBytes(inRollup: "Rss: 1 kB\n") == nil)
    }

    @Test("The anonymous memory is read in bytes")
    func anonymous() {
        #expect(ProcessStatus.anonymousBytes("VmRSS:\t  900 kB\nRssAnon:\t    512 kB\nRssFile:\t 3 kB\n") == 524_288)
        #expect(ProcessStatus.anonymousBytes("VmRSS:\t  900 kB\n") == nil)
        #expect(TextFile.read("/proc/self/status").flatMap(ProcessStatus.anonymousBytes) ?? 0 > 100_000)
    }
}
