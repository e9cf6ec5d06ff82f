import Glibc
import Support
import Testing
import WeirEngine
import WeirWire

@testable import WeirRelay

@Suite("UDP errors cost one datagram at most", .tags(.network), .timeLimit(.minutes(1)))
struct UDPCarrierSendTests {
    @Test("A client with source port 0 cannot be answered; the listener goes on", .needsRoot, arguments: [1, 2])
    func sourcePortZero(threads: Int) async throws {
        let server = try UDPPeer()
        try await withRelay(try server.route, configure: { $0.threads = threads }) { relay, collector in
            let client = try UDPPeer(to: relay.endpoint)
            try await runThread {
                try UDPPeer.forge(Array("from port 0".utf8), fromPort: 0, to: relay.endpoint)
                try server.echo(1)
            }
            let drop = try await collector.wait("dropped") { $0.dropped != nil }[0]
            #expect(drop.path.client.port == 0)
            #expect(
                drop.dropped
                    == DropRecord(direction: .downstream, bytes: 11, datagrams: 1, reason: .error(ErrorNumber(EINVAL)))
            )
            try await runThread {
                try client.send("alive")
                try server.echo(1)
                #expect(try client.receiveText() == "alive")
                // The session of port 0 is there still, too.
                try UDPPeer.forge(Array("again".utf8), fromPort: 0, to: relay.endpoint)
                try server.echo(1)
            }
            try await collector.wait(for: 2, "dropped") { $0.dropped != nil }
            #expect(collector.records.count(where: \.isOpened) == 2)
        }
    }

    @Test("A client with source port 0 among others of one burst", .needsRoot)
    func sourcePortZeroInBurst() async throws {
        try await withRelay("udp:0") { relay, collector in
            try await runThread {
                let client = try UDPPeer(to: relay.endpoint)
                for number in UInt8(0)..<100 {
                    try client.send([number])
                    if number % 10 == 0 { try UDPPeer.forge([number], fromPort: 0, to: relay.endpoint) }
                }
                for number in UInt8(0)..<100 { #expect(try client.receive().bytes == [number]) }
            }
            try await collector.wait(for: 10, "dropped") { $0.dropped?.reason == .error(ErrorNumber(EINVAL)) }
        }
    }

    @Test("A dead port refuses; when it comes back the session and its egress port are the same", arguments: [1, 2])
    func deadPort(threads: Int) async throws {
        // An address of its own: nobody else takes the port while it is closed.
        let address = IPAddress(v4: 0x7f00_0003)
        let first = try UDPPeer(at: Endpoint(address: address, port: 0))
        let target = try #require(first.local)
        try await withRelay("udp:0=\(target)", configure: { $0.threads = threads }) { relay, collector in
            let client = try UDPPeer(to: relay.endpoint)
            let before = try await runThread {
                try client.send("before")
                let (_, egress) = try first.receive()
                first.socket.close()
                return egress
            }
            for round in 1...3 {
                try await runThread { for number in UInt8(0)..<100 { try client.send([number]) } }
                try await collector.wait(for: round, "refused") { $0.refused == .connectionRefused }
            }
            let second = try UDPPeer(at: target)
            let after = try await runThread {
                // What was under way when the port came back may be first.
                try client.send("after")
                while true {
                    let (bytes, egress) = try second.receive()
                    guard bytes == Array("after".utf8) else { continue }
                    try second.send("welcome", to: egress)
                    #expect(try client.receiveText() == "welcome")
                    return egress
                }
            }
            #expect(after == before)
            #expect(collector.records.count(where: \.isOpened) == 1)
            #expect(collector.records.allSatisfy { $0.path.egress == before })
            // No datagram of the bursts was lost before it was sent.
            try await collector.wait(for: 302, "forwarded") { $0.forwarded?.direction == .upstream }
        }
    }

    @Test("The datagram whose send returned an earlier one's refusal is sent again")
    func sentAgain() async throws {
        let address = IPAddress(v4: 0x7f00_0004)
        let first = try UDPPeer(at: Endpoint(address: address, port: 0))
        let target = try #require(first.local)
        first.socket.close()
        try await withRelay("udp:0=\(target)") { relay, collector in
            for round in 0..<20 {
                let isOpen = round % 2 == 1
                let server = isOpen ? try UDPPeer(at: target) : nil
                let client = try UDPPeer(to: relay.endpoint)
                try await runThread { try client.send("\(round)") }
                if let server {
                    let text = try await runThread { try server.receiveText() }
                    #expect(text == "\(round)")
                    server.socket.close()
                } else {
                    try await collector.wait(for: round / 2 + 1, "refused") { $0.refused != nil }
                }
            }
            #expect(collector.records.allSatisfy { $0.dropped == nil })
        }
    }

    @Test(
        "What the kernel dropped at the egress socket while an output was full is reported",
        .tags(.slow),
        arguments: [
            1, 2,
        ]
    )
    func overflow(threads: Int) async throws {
        let server = try UDPPeer()
        let pipe = try OutputPipe()
        let count = 4000
        try await withRelay(
            try server.route,
            configure: {
                $0.threads = threads
                $0.sinkBound = 32 << 10
            },
            outputs: [pipe.output(.wait)],
            pipes: [pipe]
        ) { relay, collector in
            let client = try UDPPeer(to: relay.endpoint)
            let egress = try await runThread {
                try client.send("begin")
                return try server.receive().from
            }
            // Nobody reads the pipe: what is beyond its 64 KiB and the bound makes reading wait.
            try await runThread {
                for _ in 0..<count { try server.send([UInt8](repeating: 7, count: 1000), to: egress) }
            }
            let reading = pipe.readToEnd()
            // The session's drops are told at its end at the latest.
            await relay.stop(grace: .zero)
            pipe.finish()
            _ = try await reading.value
            let drops = collector.records.compactMap(\.dropped)
            #expect(drops.allSatisfy { $0.reason == .receiveBufferFull && $0.direction == .downstream })
            let lost = drops.reduce(0) { $0 + $1.datagrams }
            let shown = collector.records.count { $0.forwarded?.direction == .downstream }
            #expect(lost > 0)
            #expect(Int(lost) + shown <= count)
        }
    }

    @Test("What the kernel dropped at the listener is said while the relay goes on, also of few big datagrams")
    func listenerOverflow() async throws {
        let reports = Reports()
        let pipe = try OutputPipe()
        try await withRelay(
            "udp:0",
            interest: .bytes,
            configure: {
                $0.sinkBound = 32 << 10
                // As much as Linux gives by default: not for a batch of these.
                $0.receiveBuffer = 212_992
            },
            outputs: [pipe.output(.wait)],
            pipes: [pipe],
            reports: reports
        ) { relay, collector in
            let client = try UDPPeer(to: relay.endpoint)
            try await runThread {
                for _ in 0..<100 { try client.send([UInt8](repeating: 7, count: 65_507)) }
            }
            let reading = pipe.readToEnd()
            // What is said to be dropped and what was read are all that was sent, and the relay still runs.
            func known() -> Int {
                let dropped = reports.lines.compactMap { Int($0.split(separator: " ")[5]) }.reduce(0, +)
                return dropped + collector.records.count { $0.forwarded?.direction == .upstream }
            }
            let deadline = Deadline()
            while known() < 100, !deadline.isOver { try await Task.sleep(for: .milliseconds(1)) }
            #expect(known() == 100)
            #expect(reports.lines.first?.contains("the kernel dropped ") == true)
            await relay.stop(grace: .zero)
            pipe.finish()
            _ = try await reading.value
        }
    }
}
