import Support
import Testing
import WeirEngine
import WeirRelay
import WeirWire

@Suite("UDP relay", .tags(.network), .timeLimit(.minutes(1)))
struct UDPCarrierTests {
    @Test("Carries datagrams of every size, and keeps their borders", arguments: [1, 2], [0, 1, 9_000, 65_507])
    func sizes(threads: Int, size: Int) async throws {
        let server = try UDPPeer()
        let reports = Reports()
        try await withRelay(
            try server.route,
            interest: .bytes,
            configure: { $0.threads = threads },
            reports: reports
        ) { relay, collector in
            var pattern = Pattern(seed: UInt64(size))
            let datagram = pattern.next(size)
            try await runThread {
                let client = try UDPPeer(to: relay.endpoint)
                // An empty datagram ends nothing, and its neighbours stay apart.
                for bytes in [datagram, [], datagram, Array("end".utf8)] {
                    try client.send(bytes)
                    let (received, egress) = try server.receive()
                    #expect(received == bytes)
                    try server.send(received, to: egress)
                    let answer = try client.receive()
                    #expect(answer.bytes == bytes)
                    #expect(answer.from == relay.endpoint)
                }
            }
            try await collector.wait(for: 8, "forwarded") { $0.forwarded != nil }
            #expect(collector.records.compactMap(\.forwarded?.length) == [size, size, 0, 0, size, size, 3, 3])
            #expect(collector.bytes(FlowID(1), .upstream) == datagram + datagram + Array("end".utf8))
            #expect(collector.bytes(FlowID(1), .downstream) == datagram + datagram + Array("end".utf8))
        }
        #expect(reports.lines.isEmpty)
    }

    @Test("Carries the longest datagram of IPv6", .needsIPv6, arguments: [1, 2])
    func longestV6(threads: Int) async throws {
        let server = try UDPPeer(at: .anyPortV6)
        try await withRelay(try server.route, configure: { $0.threads = threads }) { relay, _ in
            try await runThread {
                var pattern = Pattern(seed: 6)
                let datagram = pattern.next(65_527)
                let client = try UDPPeer(to: relay.endpoint)
                try client.send(datagram)
                let (received, egress) = try server.receive()
                #expect(received == datagram)
                try server.send(received, to: egress)
                #expect(try client.receive().bytes == datagram)
            }
        }
    }

    @Test("Sends back what comes where the route has no target", arguments: ["udp:0", "udp:[::1]:0"])
    func echo(route: String) async throws {
        try await withRelay(route) { relay, collector in
            try await runThread {
                let client = try UDPPeer(to: relay.endpoint)
                for size in [0, 1, 1400, 65_507] {
                    var pattern = Pattern(seed: UInt64(size))
                    let bytes = pattern.next(size)
                    try client.send(bytes)
                    #expect(try client.receive().bytes == bytes)
                }
                // A burst fills more than one batch.
                for number in UInt8(0)..<200 { try client.send([number]) }
                for number in UInt8(0)..<200 { #expect(try client.receive().bytes == [number]) }
            }
            #expect(collector.records.allSatisfy { $0.path.server == nil && $0.path.egress == nil })
        }
    }

    @Test("Carries 200 clients at once, each with its own egress port", arguments: [1, 2])
    func manyClients(threads: Int) async throws {
        let server = try UDPPeer()
        let count = 200
        try await withRelay(try server.route, configure: { $0.threads = threads }) { relay, collector in
            let clients = try await runThread { try (0..<count).map { _ in try UDPPeer(to: relay.endpoint) } }
            let seen = try await runThread {
                var egress: [String: Set<Endpoint>] = [:]
                for round in 0..<5 {
                    for client in clients { try client.send("\(client.local?.port ?? 0)") }
                    for _ in 0..<count {
                        let (bytes, from) = try server.receive()
                        egress[String(decoding: bytes, as: UTF8.self), default: []].insert(from)
                        try server.send("\(round) " + String(decoding: bytes, as: UTF8.self), to: from)
                    }
                    for client in clients {
                        let answer = try client.receiveText()
                        #expect(answer == "\(round) \(client.local?.port ?? 0)")
                    }
                }
                return egress
            }
            #expect(seen.count == count)
            #expect(seen.values.allSatisfy { $0.count == 1 })
            #expect(Set(seen.values.flatMap { $0 }).count == count)
            let opened = try await collector.wait(for: count, "opened") { $0.isOpened }
            #expect(opened.count == count)
            for record in opened {
                #expect(seen["\(record.path.client.port)"] == record.path.egress.map { [$0] })
                #expect(record.path.server == server.local && record.path.listener == relay.endpoint)
            }
            #expect(relay.openSessions == count)
        }
    }

    @Test("A burst keeps its order, and all of it arrives where the buffers hold it", arguments: [1, 2])
    func burst(threads: Int) async throws {
        let server = try UDPPeer()
        try await withRelay(try server.route, configure: { $0.threads = threads }) { relay, _ in
            try await runThread {
                let client = try UDPPeer(to: relay.endpoint)
                for number in UInt16(0)..<1000 { try client.send([UInt8(number >> 8), UInt8(number & 255)]) }
                var egress = relay.endpoint
                for number in UInt16(0)..<1000 {
                    let (bytes, from) = try server.receive()
                    #expect(bytes == [UInt8(number >> 8), UInt8(number & 255)])
                    egress = from
                }
                for number in UInt16(0)..<1000 {
                    try server.send([UInt8(number >> 8), UInt8(number & 255)], to: egress)
                }
                for number in UInt16(0)..<1000 {
                    #expect(try client.receive().bytes == [UInt8(number >> 8), UInt8(number & 255)])
                }
            }
        }
    }

    @Test("A wildcard listener answers from the address that the client chose", arguments: [1, 2])
    func wildcard(threads: Int) async throws {
        let server = try UDPPeer()
        let route = try #require(server.local)
        try await withRelay("udp:*:0=\(route)", configure: { $0.threads = threads }) { relay, collector in
            let port = relay.endpoint.port
            #expect(relay.listeners.map(\.endpoint.port).allSatisfy { $0 == port })
            var addresses: [IPAddress] = [.loopbackV4, .secondLoopback]
            if relay.listeners.count == 2 { addresses.append(.loopbackV6) }
            for address in addresses {
                let asked = Endpoint(address: address, port: port)
                let client = try UDPPeer(at: Endpoint(address: address.isV4 ? .anyV4 : .anyV6, port: 0))
                try await runThread {
                    try client.send("who?", to: asked)
                    let (bytes, egress) = try server.receive()
                    #expect(bytes == Array("who?".utf8))
                    try server.send("me", to: egress)
                    #expect(try client.receive().from == asked)
                }
                let opened = try await collector.wait("opened") { $0.isOpened && $0.path.listener == asked }
                #expect(opened[0].path.client.port == client.local?.port)
            }
            // One client that sends to two addresses has two sessions, and gets each answer from where it asked.
            try await runThread {
                let client = try UDPPeer(at: Endpoint(address: .anyV4, port: 0))
                for address in [IPAddress.loopbackV4, .secondLoopback, .loopbackV4] {
                    let asked = Endpoint(address: address, port: port)
                    try client.send("again", to: asked)
                    try server.echo(1)
                    #expect(try client.receive().from == asked)
                }
            }
        }
    }

    @Test("The sessions of one client stay on one loop")
    func oneFlow() async throws {
        let server = try UDPPeer()
        try await withRelay(try server.route, configure: { $0.threads = 2 }) { relay, collector in
            try await runThread {
                let clients = try (0..<20).map { _ in try UDPPeer(to: relay.endpoint) }
                for _ in 0..<20 {
                    for client in clients {
                        try client.send("ping")
                        try server.echo(1)
                        #expect(try client.receiveText() == "ping")
                    }
                }
            }
            try await collector.wait(for: 800, "forwarded") { $0.forwarded != nil }
            #expect(collector.records.count(where: \.isOpened) == 20)
        }
    }
}
