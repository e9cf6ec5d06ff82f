import ArgumentParser
import Testing

@testable import weir_bench

@Suite("Load settings")
struct LoadSettingsTests {
    @Test("Threads share the connections evenly, and all of them", arguments: [(1, 1), (8, 3), (200, 7), (2, 4)])
    func shares(_ connections: Int, _ threads: Int) {
        var settings = LoadSettings(kind: .ping, port: 1)
        settings.connections = connections
        settings.threads = threads
        let shares = (0..<threads).map { settings.share(ofThread: $0) }
        #expect(shares.reduce(0, +) == connections)
        #expect((shares.max() ?? 0) - (shares.min() ?? 0) <= 1)
    }

    @Test("What a child is given is what it reads", arguments: LoadKind.allCases)
    func arguments(_ kind: LoadKind) throws {
        var settings = LoadSettings(kind: kind, port: 65432)
        settings.plainPort = 4710
        settings.connections = 5000
        settings.seconds = 0.25
        settings.inFlight = 16
        settings.rate = 5000
        settings.byteLimit = 1 << 28
        settings.connectionLimit = 7
        settings.threads = 2
        settings.size = 16384
        settings.isWatched = true
        settings.relay = 4711
        settings.server = 4712
        let command = try #require(try WeirBench.parseAsRoot(settings.arguments) as? LoadCommand)
        #expect(command.settings == settings)
    }

    @Test("Outcomes of threads add up, and latencies merge")
    func outcomes() throws {
        var first = LoadOutcome(operations: 1, end: 5)
        var second = LoadOutcome(operations: 2, end: 3)
        first.record(1000)
        second.record(3000)
        var total = LoadOutcome()
        total.add(first)
        total.add(second)
        #expect(total.operations == 3)
        #expect(total.end == 5)
        #expect(total.latencyCount == 2)
        #expect(try #require(total.points).p999 >= 3)
        #expect(LoadOutcome().points == nil)
    }
}
