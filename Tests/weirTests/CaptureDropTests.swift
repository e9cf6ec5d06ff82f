import Glibc
import Support
import Testing
import WeirWire

@Suite("Drops of weir capture", .serialized, .tags(.capture), .timeLimit(.minutes(2)))
struct CaptureDropTests {
    private static let count = 20_000

    @Test(
        "What a buffer that is too small does not hold is counted: captured and dropped make up what was sent",
        .needsRoot
    )
    func small() async throws {
        let (here, there) = (try NetworkNamespace(), try NetworkNamespace())
        try here.join(there)
        let address = try #require(IPAddress("10.9.0.1"))
        let receiver = try here.make { try UDPPeer(at: Endpoint(address: address, port: 0)) }
        let endpoint = try #require(receiver.local)
        let sender = try there.make { try UDPPeer(to: endpoint) }
        // Until the receiver's hardware address is known, the kernel keeps only the last few datagrams.
        try sender.send([0])
        _ = try receiver.receive()
        let weir = try WeirProgram(
            ["capture", "-i", "v0", "-w", "-", "--buffer", "600k", "udp", "port", "\(endpoint.port)"],
            launcher: here.launcher,
            seconds: 60
        )
        #expect(try weir.readErrorLine() == "capturing on v0")
        // Nobody reads standard output meanwhile: Weir waits, and the kernel's buffer fills.
        for _ in 0..<Self.count { try sender.send([UInt8](repeating: 7, count: 1000)) }
        let ended = try await weir.stop(SIGINT)
        #expect(ended.status == 0)
        let seen = try SeenFrames(ended.output)
        let statistics = try #require(seen.statistics.first)
        let dropped = try #require(statistics.droppedBySystem)
        #expect(dropped > 0)
        #expect(seen.frames.count > 0)
        #expect(UInt64(seen.frames.count) + dropped == UInt64(Self.count))
        #expect(statistics.received == UInt64(Self.count))
        #expect(statistics.delivered == UInt64(seen.frames.count))
        #expect(ended.errors == "weir: \(seen.frames.count) packets captured, \(dropped) dropped by the kernel on v0\n")
    }
}
