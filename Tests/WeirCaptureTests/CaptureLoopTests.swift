#if LiveCapture
import Glibc
import Support
import Testing
import WeirWire

@testable import WeirCapture

/// Takes packets, and does something with each pause.
private struct Taken: PacketReceiver {
    var sizes: [UInt32] = []
    var pauses: [Bool] = []
    var notes: [CaptureProgress] = []
    var ends: [Int64] = []
    var isWaiting = false
    var most = Int.max
    var lastSign: Int64 = 0
    var onPause: ((inout Taken) -> Void)?

    var hasEnded: Bool { sizes.count >= most }
    mutating func receive(_ packet: LivePacket, _ bytes: RawSpan) { sizes.append(packet.originalLength) }

    mutating func pause(isIdle: Bool) {
        pauses.append(isIdle)
        onPause?(&self)
    }
    mutating func note(_ progress: CaptureProgress) { notes.append(progress) }

    mutating func prepareToEnd(at time: Int64) {
        ends.append(time)
        lastSign = time
    }
}

@Suite("Capture loop", .serialized, .tags(.network, .capture), .timeLimit(.minutes(1)))
struct CaptureLoopTests {
    private let server: UDPPeer
    private let client: UDPPeer
    private let port: UInt16
    private let control = CaptureControl()

    init() throws {
        server = try UDPPeer(at: Endpoint(address: .loopbackV4, port: 0))
        let endpoint = try #require(server.local)
        port = endpoint.port
        client = try UDPPeer(to: endpoint)
    }

    private func loop(_ limits: CaptureLimits = CaptureLimits()) throws -> CaptureLoop {
        let source = CaptureSource(interface: "lo", filter: "udp dst port \(port)")
        return CaptureLoop(try CaptureHandle(source), limits: limits, control: control)
    }

    private func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    @Test("Ends after so many packets, and gives no more", .needsRoot, arguments: [1, 3, 32, 33, 40] as [UInt64])
    func packets(limit: UInt64) throws {
        var limits = CaptureLimits()
        limits.packets = limit
        let began = now()
        var loop = try loop(limits)
        for _ in 0..<50 { try client.send("x") }
        var taken = Taken()
        let (progress, error) = loop.run(&taken)
        #expect(error == nil && progress.packets == limit && taken.sizes == Array(repeating: 43, count: Int(limit)))
        #expect(taken.pauses.last == true && taken.ends.isEmpty)
        // At most 32 packets come between two pauses, and after some there may be more.
        if limit > 32 { #expect(taken.pauses.contains(false)) }
        #expect(progress.counters.received >= limit && progress.counters.dropped == 0)
        #expect(progress.began >= began && progress.now >= progress.began && progress.now <= now())
    }

    @Test(
        "Ends when the receiver has enough, by an order, and after its time",
        .needsRoot,
        arguments: ["receiver", "order", "time"]
    )
    func ends(reason: String) throws {
        var limits = CaptureLimits()
        if reason == "time" { limits.duration = .milliseconds(20) }
        let began = now()
        var loop = try loop(limits)
        for _ in 0..<5 { try client.send("x") }
        var taken = Taken()
        if reason == "receiver" { taken.most = 5 }
        if reason == "order" { control.end() }
        let (progress, error) = loop.run(&taken)
        #expect(error == nil && progress.packets == 5 && taken.sizes.count == 5)
        // An order to end is given once, with its time; the loop goes on for two batches of 50 ms.
        #expect(taken.ends.count == (reason == "receiver" ? 0 : 1))
        #expect(taken.ends.allSatisfy { $0 >= began && $0 <= now() })
        if reason != "receiver" { #expect(now() - began >= 100_000_000) }
        #expect(now() - began < 4_000_000_000)
    }

    @Test("Goes on until it is quiet, while a known flow gives signs", .needsRoot)
    func quiet() throws {
        var limits = CaptureLimits()
        limits.quietTime = .milliseconds(150)
        var loop = try loop(limits)
        try client.send("x")
        control.endWhenQuiet()
        var (taken, sent) = (Taken(), 0)
        let began = now()
        let (client, clock) = (self.client, now)
        taken.onPause = { taken in
            // A sign every 60 ms, five times.
            guard sent < 5, clock() - began > Int64(sent) * 60_000_000 else { return }
            sent += 1
            try? client.send("x")
            taken.lastSign = clock()
        }
        let (progress, error) = loop.run(&taken)
        #expect(error == nil && progress.packets == UInt64(1 + sent) && taken.ends.count == 1)
        // After the last sign the loop waits for the quiet time and two batches.
        #expect(now() - taken.lastSign >= 250_000_000)
    }

    @Test("Notes its progress ten times a second, and not with every pause", .needsRoot)
    func notes() throws {
        var limits = CaptureLimits()
        limits.duration = .milliseconds(250)
        var loop = try loop(limits)
        var taken = Taken()
        taken.isWaiting = true
        let (progress, _) = loop.run(&taken)
        let elapsed = progress.now - progress.began
        #expect(!taken.notes.isEmpty && taken.notes.count <= Int(elapsed / 100_000_000) + 1)
        #expect(taken.pauses.count >= taken.notes.count)
        #expect(taken.notes.allSatisfy { $0.began == progress.began && $0.now > $0.began })
        // Without packets every pause is an idle one, and it waits 10 ms between two, or 5 near its end.
        #expect(taken.pauses.allSatisfy { $0 } && taken.pauses.count <= Int(elapsed / 5_000_000) + 3)
    }
}
#endif
