import Glibc
import Testing

@testable import weir_bench

@Suite("A soak", .serialized, .tags(.network, .slow), .timeLimit(.minutes(3)))
struct SoakTests {
    @Test("In its short form finds nothing wrong, and says what went through")
    func short() async throws {
        let own = try Programs.ownPath()
        let program = own.prefix { _ in true }.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" }
        var arguments = ["soak", "--short", "--seed", "1", "--limit", "120"]
        if getenv("WEIR_SANITIZED") != nil {
            arguments += ["--megabytes", "16", "--connections", "600", "--datagrams", "4000"]
            // A sanitizer keeps what was freed.
            arguments += ["--memory-allowance", "1000"]
        }
        let text = try await Child.output(of: Launch(program: "\(program)/weir-bench", arguments: arguments))
        #expect(text.contains("**Nothing was wrong.**"))
        #expect(text.contains("It ended with 0."))
        #expect(text.contains(" 0; 0; 0 |"))
    }

    private func result(_ change: (inout Soak.Result) -> Void = { _ in }) -> Soak.Result {
        var settings = Soak.Settings()
        (settings.bytes, settings.connections, settings.datagrams) = (8000, 100, 1000)
        var result = Soak.Result(settings: settings)
        (result.counts.flowBytes, result.counts.talks, result.counts.datagramsBack) = (8000, 100, 1000)
        result.before = .init(descriptors: 17, memory: 4 << 20)
        (result.after, result.status) = (result.before, 0)
        change(&result)
        return result
    }

    @Test("Finds nothing where all is as it must be")
    func noFaults() {
        #expect(result().faults.isEmpty)
        // As many datagrams as were under way when one end was killed.
        #expect(result { ($0.kills, $0.counts.datagramsLost) = ([.datagramServer: 2], 512) }.faults.isEmpty)
        let said = "weir: udp 127.0.0.1:9: the kernel dropped 40 datagrams of clients: the receive buffer was full\n"
        #expect(result { ($0.words, $0.counts.datagramsLost) = (said, 40) }.faults.isEmpty)
    }

    @Test("Finds each fault")
    func faults() {
        let changes: [(inout Soak.Result) -> Void] = [
            { $0.counts.wrong = 1 }, { $0.counts.unexplained = 1 }, { $0.counts.stuck = 1 },
            { $0.counts.flowBytes = 7999 }, { $0.counts.talks = 99 }, { $0.counts.datagramsBack = 999 },
            { $0.counts.datagramsLost = 1 }, { $0.after.descriptors = 18 }, { $0.after.memory = 64 << 20 },
            { $0.status = 1 }, { $0.status = nil },
        ]
        for change in changes { #expect(result(change).faults.count == 1) }
    }
}
