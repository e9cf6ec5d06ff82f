import Foundation
import Support
import Testing
import WeirEngine
import WeirWire

@Suite("The wall clock set back and forward under weir relay", .serialized, .tags(.network), .timeLimit(.minutes(1)))
struct WallClockTests {
    private static let hour: Int64 = 3600
    private static let day: Int64 = 86_400

    private let folder: TemporaryFolder
    private let clock: WallClock

    init() throws {
        folder = try TemporaryFolder()
        clock = try WallClock()
    }

    private func start(_ options: [String]) throws -> (WeirProgram, Endpoint) {
        let log = folder.path + "/log"
        let program = try WeirProgram(["relay", "--show", "none", "--log", log] + options, launcher: clock.launcher)
        return (program, try program.listening()[0])
    }

    private func log() throws -> LogLines { try LogLines(try folder.read("log")) }

    /// Says how many seconds an object's time is ahead of the machine's, as it is now.
    private func ahead(_ object: [String: Any]) throws -> TimeInterval {
        let format = ISO8601DateFormatter()
        let text = try #require(object["time"] as? String).prefix { $0 != "." } + "Z"
        return try #require(format.date(from: String(text))).timeIntervalSinceNow
    }

    private func nanoseconds(_ key: String, _ event: String) throws -> [Int] {
        try log().all(event).compactMap { $0[key] as? Int }
    }

    @Test("The records tell the new time, and the durations are those that were", .needsProgram("cc"))
    func durations() async throws {
        let server = try TCPServer()
        let (program, endpoint) = try start(["--idle-timeout", "20s", server.route])
        let begin = ContinuousClock.now
        let client = try TCPPeer(to: endpoint)
        let peer = try server.accept()
        let shifts = [0, -Self.hour, 2 * Self.day, -30 * Self.day, 0]
        for shift in shifts {
            try clock.set(ahead: shift)
            try client.send("question")
            #expect(try peer.receive(8) == Array("question".utf8))
            try peer.send("question")
            #expect(try client.receive(8) == Array("question".utf8))
        }
        client.finish()
        peer.finish()
        #expect(try client.receiveToEnd() == ([], .end))
        #expect(try await program.stop().status == 0)
        let elapsed = Int((ContinuousClock.now - begin) / .nanoseconds(1))
        let data = try log().all("data")
        #expect(
            data.compactMap { $0["direction"] as? String }
                == Array(repeating: ["upstream", "downstream"], count: 5).flatMap { $0 }
        )
        for (index, object) in data.enumerated() {
            #expect(abs(try ahead(object) - Double(shifts[index / 2])) < 60)
        }
        let durations =
            try nanoseconds("duration_ns", "close") + nanoseconds("dial_ns", "connected")
            + nanoseconds("echo_ns", "data")
        #expect(durations.count == 1 + 1 + 5)
        #expect(durations.allSatisfy { $0 > 0 && $0 < elapsed })
        #expect(try log().all("close").map { $0["reason"] as? String } == ["finished"])
    }

    @Test("No time-out comes early or late", .needsProgram("cc"), arguments: [-Self.day, Self.day])
    func timeouts(shift: Int64) async throws {
        let server = try TCPServer()
        let datagrams = try UDPPeer()
        let full = try TCPServer(backlog: 0)
        let filler = try TCPPeer(to: full.endpoint)
        let (program, endpoint) = try start([
            "--idle-timeout", "1500ms", "--udp-timeout", "1500ms", "--connect-timeout", "1500ms",
            server.route, try datagrams.route, full.route,
        ])
        let others = try program.listening(2)
        // A flow that is idle, a session that is, and a dial that is not answered.
        let client = try TCPPeer(to: endpoint)
        let peer = try server.accept()
        let source = try UDPPeer(to: others[0])
        try source.send("x")
        #expect(try datagrams.receiveText() == "x")
        let waiting = try TCPPeer(to: others[1])
        try clock.set(ahead: shift)
        #expect(try client.receiveToEnd().ending == .failed(.connectionReset))
        #expect(try waiting.receiveToEnd().ending == .failed(.connectionReset))
        let deadline = Deadline()
        while try log().all("close").count < 3, !deadline.isOver { sched_yield() }
        #expect(try await program.stop().status == 0)
        let closes = try log().all("close")
        #expect(closes.compactMap { $0["reason"] as? String }.sorted() == ["idle", "idle", "refused"])
        for duration in closes.compactMap({ $0["duration_ns"] as? Int }) {
            #expect(duration >= 1_500_000_000 && duration < 20_000_000_000)
        }
        withExtendedLifetime((peer, filler)) {}
    }

    @Test("The grace of the end is what was asked for", .needsProgram("cc"), arguments: [-Self.day, Self.day])
    func grace(shift: Int64) async throws {
        let server = try TCPServer()
        let (program, endpoint) = try start(["--grace", "1s", server.route])
        let client = try TCPPeer(to: endpoint)
        let peer = try server.accept()
        let begin = ContinuousClock.now
        program.send(SIGTERM)
        #expect(try program.readErrorLine().hasPrefix("weir: ending: 1 TCP flow has 1s"))
        try clock.set(ahead: shift)
        #expect(try client.receiveToEnd().ending == .failed(.connectionReset))
        #expect(ContinuousClock.now - begin >= .seconds(1))
        #expect(try await program.finish().status == 0)
        withExtendedLifetime(peer) {}
    }
}
