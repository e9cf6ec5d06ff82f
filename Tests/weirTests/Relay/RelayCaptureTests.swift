import Glibc
import Support
import Testing
import WeirRelay
import WeirWire

/// `weir relay --capture` in front of an echo server, both on the loopback.
private struct CapturedRelay {
    let folder: TemporaryFolder
    let echo: WeirProgram
    let program: WeirProgram
    /// Says where the relay listens for TCP, and for UDP.
    let tcp: Endpoint
    let udp: Endpoint
    /// Says where the echo server does.
    let servers: [Endpoint]

    init(_ options: [String] = [], to name: String = "capture.pcapng", folder: TemporaryFolder? = nil) throws {
        self.folder = try folder ?? TemporaryFolder()
        echo = try WeirProgram(["echo", "--show", "none", "tcp:0", "udp:0"], seconds: 120)
        servers = try echo.listening(2)
        program = try WeirProgram(
            ["relay", "--show", "none", "--capture", self.folder.path + "/" + name] + options
                + ["tcp:0=\(servers[0])", "udp:0=\(servers[1])"],
            seconds: 120
        )
        #expect(try program.readErrorLine() == "capturing on lo")
        let endpoints = try program.listening(2)
        (tcp, udp) = (endpoints[0], endpoints[1])
    }

    /// Ends the relay, and then the echo server.
    func finish() async throws -> WeirProgram.Ended {
        let ended = try await program.stop()
        _ = try await echo.stop()
        return ended
    }
}

/// Holds what the packets of a file say of one leg of one flow.
private struct SeenLeg {
    var frames: [SeenFrames.Frame] = []
    var comments: [String] { frames.flatMap(\.comments) }
    var flags: [TCPFlags] { frames.compactMap(\.ends.flags) }

    static func all(_ seen: SeenFrames) -> [FiveTuple: SeenLeg] {
        var legs: [FiveTuple: SeenLeg] = [:]
        for frame in seen.frames {
            if let tuple = frame.ends.tuple { legs[tuple.canonical, default: SeenLeg()].frames.append(frame) }
        }
        return legs
    }
}

@Suite("weir relay --capture", .serialized, .tags(.network, .capture, .slow), .timeLimit(.minutes(5)))
struct RelayCaptureTests {
    private static let runs = 200
    private static let atOnce = 10

    @Test("The first SYN and the last FIN of a flow are in the file, every time", .needsRoot)
    func whole() async throws {
        let broken = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<Self.atOnce {
                group.addTask {
                    // The filter has the server's port: each relay has a server that no other one has at the time.
                    // In a network of their own: the traffic of others fills the kernel's buffer before there is a filter.
                    let network = try NetworkNamespace()
                    let echo = try WeirProgram(
                        ["echo", "--show", "none", "tcp:0"],
                        launcher: network.launcher,
                        seconds: 240
                    )
                    let server = try echo.listening()[0]
                    var broken: [String] = []
                    for run in 0..<(Self.runs / Self.atOnce) {
                        broken += try await Self.brokenLegs(server, run, in: network)
                    }
                    _ = try await echo.stop()
                    return broken
                }
            }
            return try await group.reduce([], +)
        }
        #expect(broken.isEmpty)
    }

    /// Relays one flow through a relay of its own, ends that at once, and describes the legs that its capture has not whole.
    private static func brokenLegs(
        _ server: Endpoint,
        _ number: Int,
        in network: NetworkNamespace
    ) async throws -> [String] {
        let folder = try TemporaryFolder()
        let path = folder.path + "/capture.pcapng"
        let program = try WeirProgram(
            ["relay", "--show", "none", "--capture", path, "tcp:0=\(server)"],
            launcher: network.launcher,
            seconds: 60
        )
        #expect(try program.readErrorLine() == "capturing on lo")
        let relay = try program.listening()[0]
        let local = try await runThread {
            let client = try network.make { try TCPPeer(to: relay) }
            let local = client.local
            try client.send("run \(number)")
            #expect(try client.receive("run \(number)".utf8.count) == Array("run \(number)".utf8))
            client.finish()
            #expect(try client.receiveToEnd().bytes.isEmpty)
            return local
        }
        let ended = try await program.stop()
        #expect(ended.status == 0)
        #expect(ended.errors.contains(" packets captured, 0 dropped by the kernel on lo\n"), "\(ended.errors)")
        let clientLeg = FiveTuple(transport: .tcp, source: try #require(local), destination: relay).canonical
        // Another program's connection may have a port of these by chance.
        let legs = SeenLeg.all(try SeenFrames(at: path)).filter {
            $0.key == clientLeg || $0.key.source == server || $0.key.destination == server
        }
        if legs.count != 2 || legs[clientLeg] == nil { return ["run \(number): \(legs.count) legs"] }
        let broken = legs.filter { _, leg in
            leg.flags.first != .syn || leg.flags.last != .ack || leg.flags.count { $0.contains(.fin) } != 2
                || leg.comments.count > 1
        }
        // A first packet waits for its comment for 100 ms, which may pass on a busy machine.
        return broken.map { "run \(number), \($0.key): \($0.value.flags) \($0.value.comments)" }
    }

    @Test("tshark shows the four endpoints of each flow, once on each leg", .needsRoot, .needsProgram("tshark"))
    func comments() async throws {
        let relay = try CapturedRelay()
        let locals = try await runThread { [relay = (relay.tcp, relay.udp)] in
            try (0..<3).flatMap { _ in
                let client = try TCPPeer(to: relay.0)
                try client.send("Hello, server!")
                #expect(try client.receive(14).count == 14)
                client.finish()
                _ = try client.receiveToEnd()
                let datagrams = try UDPPeer(to: relay.1)
                try datagrams.send("Hello, server!")
                #expect(try datagrams.receiveText() == "Hello, server!")
                return [("tcp", client.local), ("udp", datagrams.local)]
            }
        }
        let ended = try await relay.finish()
        #expect(ended.status == 0)
        let path = relay.folder.path + "/capture.pcapng"
        let rows = try Tshark.fields(
            path,
            ["tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport", "frame.comment"],
            where: "frame.comment"
        )
        #expect(rows.count == 4 * 3)
        for (transport, local) in locals {
            let client = try #require(local)
            let (listener, server) =
                transport == "tcp" ? (relay.tcp, relay.servers[0]) : (relay.udp, relay.servers[1])
            let mine = rows.filter { $0[4].contains(" client \(client) listener \(listener) egress ") }
            #expect(mine.count == 2)
            let place = transport == "tcp" ? 0 : 2
            #expect(mine.first?[place...(place + 1)] == ["\(client.port)", "\(listener.port)"])
            let egress = try #require(mine.last)[place]
            #expect(mine.last?[place + 1] == "\(server.port)")
            // The process may come late: then the first packet goes without it.
            let known = " egress 127.0.0.1:\(egress) server \(server)"
            #expect(mine.allSatisfy { $0[4].hasSuffix(known) || $0[4].contains(known + "; process ") })
        }
        #expect(rows.allSatisfy { !$0[4].contains("; process ") || $0[4].contains("/\(getpid()) user ") })
    }

    @Test("Each file of a rotation names the flows of its packets, however fast files follow", .needsRoot)
    func rotated() async throws {
        let relay = try CapturedRelay(["--rotate-size", "64k", "--buffer", "64M"])
        try await runThread { [tcp = relay.tcp] in
            let clients = try (0..<5).map { _ in try TCPPeer(to: tcp) }
            let bytes = [UInt8](repeating: 7, count: 5000)
            for _ in 0..<40 {
                for client in clients {
                    try client.send(bytes)
                    #expect(try client.receive(bytes.count) == bytes)
                }
            }
            for client in clients { client.finish() }
            for client in clients { _ = try client.receiveToEnd() }
        }
        let ended = try await relay.finish()
        #expect(ended.status == 0)
        let files = ended.errors.split(separator: "\n").filter { $0.hasPrefix("recorded ") }.map { $0.dropFirst(9) }
        #expect(files.count > 20)
        var bytes = 0
        for file in files {
            let seen = try SeenFrames(at: String(file))
            bytes += seen.frames.reduce(0) { $0 + $1.originalLength }
            for (tuple, leg) in SeenLeg.all(seen) {
                #expect(leg.comments.count == 1, "\(tuple) in \(file)")
                #expect(leg.frames[0].comments.count == 1, "\(tuple) in \(file)")
            }
        }
        // Each byte passed four times.
        #expect(bytes > 4 * 5 * 40 * 5000)
    }

    @Test("--record and --capture at once: both hold the same bytes", .needsRoot, .needsProgram("tshark"))
    func both() async throws {
        let folder = try TemporaryFolder()
        let record = folder.path + "/record.pcapng"
        let relay = try CapturedRelay(["--record", record], folder: folder)
        try await runThread { [tcp = relay.tcp] in
            let client = try TCPPeer(to: tcp)
            for number in 0..<10 {
                try client.send("message \(number)")
                _ = try client.receive("message \(number)".utf8.count)
            }
            client.finish()
            _ = try client.receiveToEnd()
        }
        let ended = try await relay.finish()
        #expect(ended.status == 0)
        for number in 0..<2 {
            let streams = try [record, folder.path + "/capture.pcapng"].map { try Tshark.follow($0, "tcp", number) }
            #expect(streams[0] == streams[1])
            #expect(streams[0].allSatisfy { $0.bytes.count == 90 })
        }
    }
}
