#if LiveCapture
import CPcap
import Glibc
public import WeirWire

/// Owns an open capture of libpcap.
///
/// It is used by one thread at a time. The conformance to `Sendable` is unchecked only because of libpcap's pointer: the
/// handle cannot be copied, so whoever holds it is the only one to use it, and libpcap binds a capture to no thread.
///
/// Source: pcap(3PCAP).
public struct CaptureHandle: ~Copyable, @unchecked Sendable {
    private let pcap: OpaquePointer
    private let source: CaptureSource
    private var received = WideCounter()
    private var dropped = WideCounter()
    private var droppedByInterface = WideCounter()

    /// Names the outermost header of the packets.
    public let linkType: LinkType
    /// Says whether the kernel's times are exact to the nanosecond, not to the microsecond.
    public let isNanoseconds: Bool
    /// Bounds how many bytes of a packet are captured.
    public let snapLength: Int
    /// Becomes readable when packets are there, and when the interface is gone; for poll(2).
    public let descriptor: Int32

    /// Opens an interface and sets its filter: from now on the kernel keeps packets.
    ///
    /// - Throws: `noPermission`, `noInterface`, `badFilter`, `failed`.
    public init(_ source: CaptureSource) throws(CaptureError) {
        pcap = try Self.open(source)
        self.source = source
        linkType = LinkType(dataLink: pcap_datalink(pcap))
        isNanoseconds = pcap_get_tstamp_precision(pcap) == PCAP_TSTAMP_PRECISION_NANO
        snapLength = Int(pcap_snapshot(pcap))
        descriptor = pcap_get_selectable_fd(pcap)
        if source.interface == "lo" { Self.ignoreOutgoing(descriptor) }
    }

    deinit {
        pcap_close(pcap)
    }

    /// Hands on the packets that are there, each with its bytes, and does not wait for others.
    ///
    /// - Parameters:
    ///   - limit: how many at most.
    ///   - body: gets a packet and its bytes, which are good for the call only.
    /// - Returns: how many there were; 0 where none is waiting.
    /// - Throws: `interfaceGone` where no more will come.
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

    /// Asks what became of the packets since the handle was opened.
    ///
    /// - Throws: `failed`.
    public mutating func counters() throws(CaptureError) -> CaptureCounters {
        var raw = pcap_stat()
        guard pcap_stats(pcap, &raw) == 0 else {
            throw .failed(
                attempt: "count the packets on \(source.interface)",
                words: String(cString: pcap_geterr(pcap))
            )
        }
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

/// Is what libpcap's callback is lent while packets are handed on.
private struct Delivery {
    let body: (LivePacket, RawSpan) -> Void
    /// Nanoseconds of one unit of libpcap's fractions of a second.
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

/// Stands for a capture of libpcap in a program that was built without it: there is never one.
public struct CaptureHandle: ~Copyable, Sendable {
    /// Throws `CaptureError.notBuilt`.
    public init(_ source: CaptureSource) throws(CaptureError) { throw .notBuilt }

    /// Is never asked for.
    public var linkType: LinkType { .null }
    /// Is never asked for.
    public var isNanoseconds: Bool { false }
    /// Is never asked for.
    public var snapLength: Int { 0 }
    /// Is never asked for.
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
