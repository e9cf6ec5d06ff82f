#if LiveCapture
import CPcap
import Glibc
public import WeirWire

/// An open capture of libpcap.
///
/// One thread at a time uses it. The conformance to `Sendable` is unchecked only because of libpcap's pointer: the
/// handle cannot be copied, so only its owner can use it, and libpcap binds a capture to no thread.
///
/// Source: pcap(3PCAP).
public struct CaptureHandle: ~Copyable, @unchecked Sendable {
    private let pcap: OpaquePointer
    private let source: CaptureSource
    private var received: WideCounter
    private var dropped: WideCounter
    private var droppedByInterface: WideCounter

    /// The link type of the packets: their outermost header.
    public let linkType: LinkType
    /// Whether the kernel's times are in nanoseconds, not in microseconds.
    public let isNanoseconds: Bool
    /// The maximum number of bytes captured of a packet.
    public let snapLength: Int
    /// A descriptor for poll(2) that becomes readable if packets are there, and if the interface is gone.
    public let descriptor: Int32

    /// Opens an interface and sets its filter; from now on the kernel keeps packets.
    ///
    /// - Throws: `noPermission`, `noInterface`, `badFilter`, `failed`.
    public init(_ source: CaptureSource) throws(CaptureError) {
        let (pcap, counted) = try Self.open(source)
        self.pcap = pcap
        self.source = source
        received = WideCounter(from: counted.ps_recv)
        dropped = WideCounter(from: counted.ps_drop)
        droppedByInterface = WideCounter(from: counted.ps_ifdrop)
        linkType = LinkType(dataLink: pcap_datalink(pcap))
        isNanoseconds = pcap_get_tstamp_precision(pcap) == PCAP_TSTAMP_PRECISION_NANO
        snapLength = Int(pcap_snapshot(pcap))
        descriptor = pcap_get_selectable_fd(pcap)
    }

    deinit {
        pcap_close(pcap)
    }

    /// Delivers the packets that are there, each with its bytes, without waiting for others.
    ///
    /// - Parameters:
    ///   - limit: The maximum number of packets.
    ///   - body: Receives a packet and its bytes, which are valid only during the call.
    /// - Returns: The number of packets; 0 if none is waiting.
    /// - Throws: `interfaceGone` if no more packets will arrive.
    /// - Precondition: `limit` is between 1 and 65,536.
    @discardableResult
    public mutating func read(
        limit: Int,
        _ body: (LivePacket, RawSpan) -> Void
    ) throws(CaptureError) -> Int {
        precondition(limit > 0 && limit <= 65_536, "a limit is between 1 and 65,536")
        let count = withoutActuallyEscaping(body) { body in
            withUnsafe(Delivery(body: body, unit: isNanoseconds ? 1 : 1000)) { delivery in
                pcap_dispatch(pcap, Int32(limit), Delivery.callback, delivery)
            }
        }
        guard count >= 0 else {
            throw .interfaceGone(source.interface, words: String(cString: pcap_geterr(pcap)))
        }
        return Int(count)
    }

    private func withUnsafe(_ delivery: Delivery, _ body: (UnsafeMutablePointer<UInt8>) -> Int32) -> Int32 {
        var delivery = delivery
        return withUnsafeMutableBytes(of: &delivery) { bytes in
            guard let base = bytes.baseAddress else { return PCAP_ERROR }
            return body(base.assumingMemoryBound(to: UInt8.self))
        }
    }

    /// Returns the kernel's packet counts since the handle was opened.
    ///
    /// - Throws: `failed`.
    public mutating func counters() throws(CaptureError) -> CaptureCounters {
        let raw = try Self.statistics(of: pcap, source)
        received.update(raw.ps_recv)
        dropped.update(raw.ps_drop)
        droppedByInterface.update(raw.ps_ifdrop)
        var counters = CaptureCounters()
        counters.received = received.total
        counters.dropped = dropped.total
        counters.droppedByInterface = droppedByInterface.total
        return counters
    }
}

/// The context of libpcap's callback while packets are delivered.
private struct Delivery {
    let body: (LivePacket, RawSpan) -> Void
    /// The nanoseconds in one unit of libpcap's fractions of a second.
    let unit: Int64

    static let callback: pcap_handler = { context, header, bytes in
        guard let context, let header, let bytes else { return }
        let delivery = UnsafeRawPointer(context).assumingMemoryBound(to: Delivery.self)
        let time = header.pointee.ts
        let packet = LivePacket(
            timestamp: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_usec) &* delivery.pointee.unit,
            originalLength: header.pointee.len
        )
        let captured = UnsafeRawBufferPointer(start: bytes, count: Int(header.pointee.caplen))
        delivery.pointee.body(packet, captured.bytes)
    }
}
#else
public import WeirWire

/// The substitute for a capture of libpcap in a program that was built without it; no value can exist.
public struct CaptureHandle: ~Copyable, Sendable {
    /// Throws `CaptureError.notBuilt`.
    public init(_ source: CaptureSource) throws(CaptureError) { throw .notBuilt }

    /// Never called, because no value exists.
    public var linkType: LinkType { .null }
    /// Never called, because no value exists.
    public var isNanoseconds: Bool { false }
    /// Never called, because no value exists.
    public var snapLength: Int { 0 }
    /// Never called, because no value exists.
    public var descriptor: Int32 { -1 }

    /// Throws `CaptureError.notBuilt`.
    @discardableResult
    public mutating func read(limit: Int, _ body: (LivePacket, RawSpan) -> Void) throws(CaptureError) -> Int {
        throw .notBuilt
    }

    /// Throws `CaptureError.notBuilt`.
    public mutating func counters() throws(CaptureError) -> CaptureCounters { throw .notBuilt }
}
#endif
