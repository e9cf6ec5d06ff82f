import Foundation
import Glibc
import Support
import Testing
import WeirWire

/// What came stands on one leg, what went on on the other, each at its time.
@Suite(
    "What tshark reads of weir relay --record under toxics",
    .serialized,
    .tags(.network, .capture, .slow),
    .timeLimit(.minutes(4))
)
struct RecordToxicsTests {
    @Test("A delay is between the legs, and nothing is worth a warning", .needsProgram("tshark"))
    func latency() async throws {
        let server = try TCPServer()
        let options = ["--toxic", "latency,both,latency=100,jitter=20", "--toxic", "slow_close,both,delay=50"]
        let relay = try RecordedRelay(server.route, options)
        let client = try TCPPeer(to: relay.endpoint)
        let peer = try server.accept()
        let bytes = Pattern.bytes(100_000)
        let sending = try Background {
            try client.send(bytes)
            client.finish()
        }
        #expect(try peer.receiveToEnd().bytes == bytes)
        try sending.value()
        try peer.send(bytes)
        peer.finish()
        #expect(try client.receiveToEnd().bytes == bytes)
        let capture = try await relay.finish()
        try relay.expectStreams(up: bytes, down: bytes)
        try relay.expectComplete()
        for (from, to) in [("client", "server"), ("server", "client")] {
            let isUp = from == "client"
            func times(_ leg: String) -> [Int64] {
                capture.packets.filter { packet in
                    packet.leg == leg && !packet.payload.isEmpty && packet.flags.contains(.inbound) == isUp
                }.map(\.time)
            }
            let (came, went) = (try #require(times(from).first), try #require(times(to).first))
            #expect(went - came >= 80_000_000, "\(from): \(went - came) ns")
            #expect(went - came < 2_000_000_000)
        }
    }

    @Test(
        "What toxics change, drop, cut and end is worth no warning but a reset",
        .needsProgram("tshark"),
        arguments: [
            ["replace,up,find=a,with=bcd"], ["corrupt,both,rate=0.01"], ["packet_loss,up,loss_rate=0.5"],
            ["slicer,up,average_size=1000,size_variation=500,delay=10"], ["limit_data,up,bytes=10000"],
            ["timeout,down,timeout=100"], ["reset_peer,up,timeout=50"],
            ["latency,up,latency=30", "replace,up,find=a,with=", "bandwidth,up,rate=2000"],
        ]
    )
    func changes(_ toxics: [String]) async throws {
        let server = try TCPServer()
        let relay = try RecordedRelay(server.route, toxics.flatMap { ["--toxic", $0] } + ["--seed", "3"])
        let client = try TCPPeer(to: relay.endpoint)
        let peer = try server.accept()
        let bytes = Pattern.bytes(60_000)
        let sending = try Background {
            // Some of them end the flow before all was sent.
            try? client.send(bytes)
            client.finish()
        }
        let came = try peer.receiveToEnd()
        try sending.value()
        try? peer.send("an answer")
        peer.finish()
        let answer = try client.receiveToEnd()
        peer.close()
        client.close()
        let isReset = answer.ending != .end || came.ending != .end
        let capture = try await relay.finish(warning: isReset ? ["Connection reset (RST)"] : [])
        func sent(_ leg: String) -> [UInt8] {
            capture.packets.filter { $0.leg == leg && $0.flags.contains(.inbound) }.flatMap(\.payload)
        }
        #expect(bytes.starts(with: sent("client")))
        if !isReset { #expect(sent("server") == came.bytes) }
    }

    @Test("Datagrams that are lost, sent twice and overtaken", .needsProgram("tshark"))
    func datagrams() async throws {
        let server = try UDPPeer()
        let toxics = ["loss,up,rate=0.3", "duplicate,up,rate=0.3", "reorder,up,rate=0.3"]
        let relay = try RecordedRelay(try server.route, toxics.flatMap { ["--toxic", $0] } + ["--seed", "3"])
        let client = try UDPPeer(to: relay.endpoint)
        for number in 0..<100 { try client.send("datagram \(number)") }
        poll(nil, 0, 300)
        let capture = try await relay.finish()
        func payloads(_ leg: String) -> [[UInt8]] { capture.packets.filter { $0.leg == leg }.map(\.payload) }
        let sent = (0..<100).map { Array("datagram \($0)".utf8) }
        #expect(payloads("client") == sent)
        #expect(Set(payloads("server")).isSubset(of: Set(sent)))
        #expect((50..<95).contains(Set(payloads("server")).count))
        #expect(payloads("server").count > Set(payloads("server")).count)
    }
}
