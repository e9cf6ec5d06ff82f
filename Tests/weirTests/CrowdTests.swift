import Support
import Testing
import WeirWire

@Suite("weir relay before a crowd", .serialized, .tags(.network, .slow), .timeLimit(.minutes(2)))
struct CrowdTests {
    @Test("20,000 connections: those that there is no room for wait, and all are served")
    func connections() async throws {
        let count = TestSize.isSanitized ? 2000 : 20_000
        let echo = try WeirProgram(["echo", "--show", "none", "tcp:0"], seconds: 100)
        let target = try echo.listening()[0]
        // Under a sanitizer fewer are a crowd too.
        let bound = TestSize.isSanitized ? 1000 : 20_000
        let relay = try WeirProgram(
            ["relay", "--show", "none", "--max-flows", "\(bound)", "tcp:0=\(target)"],
            seconds: 100
        )
        var line = try relay.readErrorLine()
        var most = bound
        if line.hasPrefix("weir: at most ") {
            most = try #require(Int(line.split(separator: " ")[3]))
            line = try relay.readErrorLine()
        }
        let endpoint = try #require(Endpoint(String(line.split(separator: " ")[2])))
        let steady = try TCPPeer(to: endpoint)
        try steady.send("before")
        #expect(try steady.receive(6) == Array("before".utf8))
        let (memory, descriptors) = (try relay.memory, try relay.descriptors.count)

        let crowd = try Crowd(count, atOnce: min(count, Crowd.room()), to: endpoint)
        let deadline = Deadline(seconds: 80)
        if most - 1 < count {
            try crowd.serve(most - 1, resets: false, by: deadline)
            #expect(
                try relay.readErrorLine() == "weir: accepting pauses until a flow ends: \(most) TCP flows are open, "
                    + "the most at once; clients wait in the backlog"
            )
            #expect(try relay.descriptors.count == descriptors + 2 * (most - 1))
            // The search for the clients' processes has an end; then they cost nothing.
            var share = 1.0
            for _ in 0..<20 where share >= 0.01 { share = try await relay.processorShare(during: .milliseconds(500)) }
            #expect(share < 0.01)
        }
        try steady.send("amid")
        #expect(try steady.receive(4) == Array("amid".utf8))
        // What a flow needs is bounded by kilobytes, with both its sockets' state.
        if !TestSize.isSanitized { #expect(try relay.memory - memory < most * 8192) }
        try crowd.serve(count, resets: true, by: deadline)
        try steady.send("after")
        #expect(try steady.receive(5) == Array("after".utf8))
        steady.finish()
        #expect(try steady.receiveToEnd() == ([], .end))
        let ended = try await relay.stop()
        #expect(ended.status == 0)
        #expect(ended.errors.contains("total: \(count + 1) tcp flows"))
        #expect(ended.errors.firstMatch(of: /\ \ \d+ refused/) == nil)
        #expect(!ended.errors.contains("accepting pauses"))
        #expect(try await echo.stop().status == 0)
    }
}
