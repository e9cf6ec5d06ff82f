import Foundation
import Support
import Testing
import WeirEngine
import WeirRelay
import WeirSinks
import WeirWire

@Suite("Where a session's datagrams come from", .tags(.network), .timeLimit(.minutes(1)))
struct UDPCarrierSourcesTests {
    private static let addresses: [Endpoint] = [.anyPortV4] + (LoopbackSocket.hasIPv6 ? [.anyPortV6] : [])

    @Test(
        "A datagram from another port of the server is dropped, and its record names it",
        arguments: [1, 2],
        addresses
    )
    func dropped(threads: Int, address: Endpoint) async throws {
        let server = try UDPPeer(at: address)
        let other = try UDPPeer(at: address)
        let source = try #require(other.local)
        try await withRelay(try server.route, configure: { $0.threads = threads }) { relay, collector in
            let client = try UDPPeer(to: relay.endpoint)
            let egress = try await runThread {
                try client.send("hello")
                let egress = try server.receive().from
                try other.send("from elsewhere", to: egress)
                try server.send("from the server", to: egress)
                #expect(try client.receiveText() == "from the server")
                return egress
            }
            let drop = try await collector.wait("dropped") { $0.dropped != nil }[0]
            #expect(
                drop.dropped
                    == DropRecord(direction: .downstream, bytes: 14, datagrams: 1, reason: .foreign(source))
            )
            #expect(drop.path.egress == egress)
            #expect(egress.address == address.address)
        }
    }

    @Test("A datagram from another address at the server's port is dropped as well")
    func otherAddress() async throws {
        let server = try UDPPeer()
        let source = Endpoint(address: .secondLoopback, port: try #require(server.local).port)
        let other = try UDPPeer(at: source)
        try await withRelay(try server.route) { relay, collector in
            let client = try UDPPeer(to: relay.endpoint)
            try await runThread {
                try client.send("hello")
                let egress = try server.receive().from
                try other.send("from elsewhere", to: egress)
                try server.send("from the server", to: egress)
                #expect(try client.receiveText() == "from the server")
            }
            let drop = try await collector.wait("dropped") { $0.dropped != nil }[0].dropped
            #expect(drop == DropRecord(direction: .downstream, bytes: 14, datagrams: 1, reason: .foreign(source)))
        }
    }

    @Test("With any source a client reads a file from a TFTP server", arguments: [false, true], addresses)
    func transfer(isDelayed: Bool, address: Endpoint) async throws {
        let server = try UDPPeer(at: address)
        let pipe = try OutputPipe()
        let reading = pipe.readToEnd()
        let latency = ToxicConfiguration("latency", .downstream, attributes: ["latency": .int(20)])
        let transferPort = Lock<Endpoint?>(nil)
        try await withRelay(
            try server.route,
            configure: {
                $0.takesAnySource = true
                if isDelayed { $0.toxics = [0: [latency]] }
            },
            outputs: [pipe.output(.wait, sink: CaptureSink(CaptureSettings(seed: 1)))],
            pipes: [pipe]
        ) { relay, collector in
            let client = try UDPPeer(to: relay.endpoint)
            async let served: Void = runThread {
                // RFC 1350 section 4: the server answers from a port of the transfer's own, and hears the client there.
                let (request, egress) = try server.receive()
                #expect(request.starts(with: [0, 1]))
                let transfer = try UDPPeer(at: address)
                transferPort.withLock { $0 = transfer.local }
                for block in UInt8(1)...3 {
                    try transfer.send(
                        [0, 3, 0, block] + [UInt8](repeating: block, count: block < 3 ? 512 : 5),
                        to: egress
                    )
                    #expect(try transfer.receive().bytes == [0, 4, 0, block])
                }
            }
            try await runThread {
                try client.send([0, 1] + Array("file\0octet\0".utf8))
                for block in UInt8(1)...3 {
                    let data = try client.receive().bytes
                    #expect(data.prefix(4) == [0, 3, 0, block] && data.count == (block < 3 ? 516 : 9))
                    try client.send([0, 4, 0, block])
                }
            }
            try await served
            try await collector.wait(for: 7, "forwarded") { $0.forwarded != nil }
            let peers = collector.records.compactMap(\.forwarded).map(\.peer)
            let port = transferPort.withLock { $0 }
            #expect(peers == [nil] + [Endpoint?](repeating: port, count: 6))
            #expect(collector.records.allSatisfy { $0.dropped == nil })
        }
        pipe.finish()
        let capture = try SeenFrames(try await reading.value)
        let port = transferPort.withLock { $0?.port }
        let ends = capture.frames.map { [$0.ends.source?.port, $0.ends.destination?.port] }
        #expect(ends.count { $0[0] == port } == 3 && ends.count { $0[1] == port } == 3)
    }

    @Test("With any source other hosts are heard, and get nothing")
    func otherHost() async throws {
        let server = try UDPPeer()
        let other = try UDPPeer(at: Endpoint(address: .secondLoopback, port: 0))
        try await withRelay(try server.route, configure: { $0.takesAnySource = true }) { relay, collector in
            let client = try UDPPeer(to: relay.endpoint)
            try await runThread {
                try client.send("hello")
                let egress = try server.receive().from
                try other.send("from another host", to: egress)
                #expect(try client.receiveText() == "from another host")
                try client.send("again")
                #expect(try server.receiveText() == "again")
                try server.send("answer", to: egress)
                #expect(try client.receiveText() == "answer")
            }
            let peers = try await collector.wait(for: 4, "forwarded") { $0.forwarded != nil }.map { $0.forwarded?.peer }
            #expect(peers == [nil, other.local, nil, nil])
        }
    }

    @Test("With any source no datagram may send the session to itself, to the relay or to its client", .needsRoot)
    func forgedSource() async throws {
        let server = try UDPPeer()
        try await withRelay(try server.route, configure: { $0.takesAnySource = true }) { relay, collector in
            let client = try UDPPeer(to: relay.endpoint)
            try await runThread {
                try client.send("hello")
                let egress = try server.receive().from
                let ports = [relay.endpoint.port, egress.port, try #require(client.local).port]
                for source in ports {
                    try UDPPeer.forge(Array("forged".utf8), fromPort: source, to: egress)
                }
                try server.send("answer", to: egress)
                #expect(try client.receiveText() == "answer")
                try client.send("again")
                #expect(try server.receiveText() == "again")
            }
            let dropped = try await collector.wait(for: 3, "dropped") { $0.dropped != nil }
            #expect(dropped.allSatisfy { $0.dropped?.bytes == 6 })
            #expect(relay.openSessions == 1)
        }
    }

    /// Returns whether a datagram waits in the kernel for a socket on a port.
    ///
    /// Source: proc_net_udp(5): the local address and port, and the lengths of both queues, in hexadecimal.
    private static func hasWaiting(at port: UInt16) throws -> Bool {
        let text = try String(contentsOfFile: "/proc/net/udp", encoding: .utf8)
        let hex = String(port, radix: 16, uppercase: true)
        let suffix = ":" + String(repeating: "0", count: 4 - hex.count) + hex
        return text.split(separator: "\n").contains { line in
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            return words.count > 4 && words[1].hasSuffix(suffix) && !words[4].hasSuffix(":00000000")
        }
    }

    @Test(
        "A datagram whose source is a listener of the relay is refused, said once, and counted",
        .needsRoot,
        arguments: [1, 2]
    )
    func loop(threads: Int) async throws {
        let reports = Reports()
        try await withRelay(
            ["udp:0", "udp:0"],
            configure: { $0.threads = threads },
            reports: reports
        ) { relay, collector in
            let ports = relay.listeners.map(\.endpoint.port)
            let client = try UDPPeer(to: relay.endpoint)
            try await runThread {
                for source in ports {
                    try UDPPeer.forge(Array("round and round".utf8), fromPort: source, to: relay.endpoint)
                }
                try client.send("alive")
                #expect(try client.receiveText() == "alive")
            }
            // Another loop may take the forged ones later, and takes none once the relay stops.
            let deadline = Deadline()
            while try Self.hasWaiting(at: relay.endpoint.port), !deadline.isOver { await Task.yield() }
            #expect(relay.openSessions == 1)
            await relay.stop()
            #expect(collector.records.count(where: \.isOpened) == 1)
            let lines = reports.lines.filter { $0.contains("would go round for ever") }
            #expect(lines.count == 2 && lines.last?.contains(" (1 time more in ") == true)
        }
    }
}
