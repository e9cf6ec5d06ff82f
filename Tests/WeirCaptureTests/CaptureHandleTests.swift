#if LiveCapture
import Glibc
import Support
import Testing
import WeirRelay
import WeirSinks
import WeirWire

@testable import WeirCapture

@Suite("Capture handle", .serialized, .tags(.network, .capture), .timeLimit(.minutes(1)))
struct CaptureHandleTests {
    private let server: UDPPeer
    private let client: UDPPeer
    private let source: CaptureSource

    init() throws {
        server = try UDPPeer(at: .anyPortV4)
        let endpoint = try #require(server.local)
        client = try UDPPeer(to: endpoint)
        var source = CaptureSource(interface: "lo", filter: "udp dst port \(endpoint.port)")
        source.isImmediate = true
        self.source = source
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    /// Reads until so many packets have come.
    private static func read(_ handle: inout CaptureHandle, _ count: Int) throws -> [(LivePacket, bytes: [UInt8])] {
        var packets: [(LivePacket, bytes: [UInt8])] = []
        let deadline = Deadline()
        while packets.count < count, !deadline.isOver {
            var entry = pollfd(fd: handle.descriptor, events: Int16(POLLIN), revents: 0)
            poll(&entry, 1, 1000)
            try handle.read(limit: 100) { packet, bytes in
                packets.append((packet, bytes.withUnsafeBytes { Array($0) }))
            }
        }
        return packets
    }

    @Test("A packet has its time in nanoseconds, its length, and as many bytes as are wanted", .needsRoot)
    func packets() throws {
        var source = source
        source.snapLength = 60
        var handle = try CaptureHandle(source)
        let (length, type, isNanoseconds) = (handle.snapLength, handle.linkType, handle.isNanoseconds)
        #expect(length == 60 && type == .ethernet && isNanoseconds)
        let before = Self.now()
        try client.send([UInt8](repeating: 7, count: 200))
        try client.send([1])
        let packets = try Self.read(&handle, 2)
        #expect(packets.map(\.0.originalLength) == [242, 43])
        // libpcap keeps a little less where it leaves room for a VLAN's tag.
        #expect((40...60).contains(packets[0].bytes.count) && packets[1].bytes.count == 43)
        #expect(packets.map(\.bytes.last) == [7, 1])
        #expect(packets.allSatisfy { (before...Self.now()).contains($0.0.timestamp) })
    }

    @Test("Each packet of the loopback is counted once, however often it is asked for", .needsRoot)
    func counts() throws {
        var handle = try CaptureHandle(source)
        for _ in 0..<5 { try client.send("x") }
        #expect(try Self.read(&handle, 5).count == 5)
        for _ in 0..<2 {
            let counters = try handle.counters()
            #expect(counters.received == 5 && counters.dropped == 0 && counters.droppedByInterface == 0)
        }
        // Source: Linux `include/linux/socket.h` (SOL_PACKET), `include/uapi/linux/if_packet.h` (PACKET_IGNORE_OUTGOING).
        var (isIgnoring, size) = (Int32(-1), socklen_t(MemoryLayout<Int32>.size))
        #expect(getsockopt(handle.descriptor, 263, 23, &isIgnoring, &size) == 0 && isIgnoring == 1)
    }

    @Test("What the filter leaves out is not counted, not even while a handle is being opened", .needsRoot)
    func countsFromTheFilterOn() throws {
        let other = try UDPPeer(at: .anyPortV4)
        let busy = try UDPPeer(to: try #require(other.local))
        let isDone = Lock(false)
        let traffic = try Background {
            // One at a time: the kernel drops what waits for the loopback beyond some number, also what others send.
            while !isDone.withLock({ $0 }) {
                try busy.send("x")
                _ = try other.receive()
            }
        }
        defer { _ = try? traffic.value() }
        defer { isDone.withLock { $0 = true } }
        for _ in 0..<20 {
            var handle = try CaptureHandle(source)
            #expect(try handle.counters() == CaptureCounters())
            try client.send("x")
            #expect(try Self.read(&handle, 1).count == 1)
            #expect(try handle.counters().received == 1)
        }
    }

    @Test(
        "The head of a file tells what was opened",
        .needsRoot,
        arguments: [("lo", LinkType.ethernet), ("any", .linuxSLL2)]
    )
    func describes(interface: String, linkType: LinkType) throws {
        var source = CaptureSource(interface: interface, filter: "udp port 9")
        source.snapLength = 96
        let handle = try CaptureHandle(source)
        let description = CaptureDescription(handle, of: source)
        var expected = CaptureDescription(linkType: linkType, snapLength: 96)
        (expected.interface, expected.filter) = (interface, "udp port 9")
        #expect(description == expected && description.isNanoseconds && description.format == .pcapng)
    }

    @Test("What cannot be opened is told with the reason", .needsRoot)
    func refuses() throws {
        func error(_ source: CaptureSource) -> CaptureError? {
            do throws(CaptureError) { _ = try CaptureHandle(source).descriptor } catch { return error }
            return nil
        }
        guard case .badFilter("tcp prot", let words) = error(CaptureSource(interface: "lo", filter: "tcp prot")) else {
            Issue.record("a filter that does not compile is taken")
            return
        }
        #expect(words.contains("syntax error"))
        guard case .noInterface("weir-none", let available) = error(CaptureSource(interface: "weir-none")) else {
            Issue.record("an interface that is not there is taken")
            return
        }
        #expect(available.contains("lo"))
        // Neither those nor one that is let go leave a descriptor behind.
        let before = descriptorTargets().count
        #expect(error(CaptureSource(interface: "lo", filter: "tcp prot")) != nil)
        #expect(error(CaptureSource(interface: "lo")) == nil)
        #expect(descriptorTargets().count <= before)
    }

    @Test("A text of libpcap ends at its first zero")
    func text() {
        #expect(CaptureHandle.text([0x61, 0x62, 0, 0x63]) == "ab" && CaptureHandle.text([0]) == "")
        #expect(CaptureHandle.text([0x61]) == "a" && CaptureHandle.text([]) == "")
    }

    @Test("Without settings a capture takes whole packets, has no limits, and is quiet after a fifth of a second")
    func defaults() {
        let (source, limits) = (CaptureSource(interface: "lo"), CaptureLimits())
        #expect(
            source.snapLength == 262_144 && source.bufferSize == nil && !source.isImmediate && source.filter.isEmpty
        )
        #expect(limits.packets == .max && limits.duration == nil && limits.quietTime == .milliseconds(200))
        #expect(CaptureSource.batchTime == 50)
    }
}
#endif
