/// A writer of a classic pcap capture at the end of a buffer: the header once, then packets.
///
/// It writes the time, the lengths and the bytes of a packet; the format has no place for anything else.
///
/// Source: draft-ietf-opsawg-pcap.
public struct PcapWriter: Sendable {
    /// The header of the file.
    public let header: PcapHeader

    /// Creates a writer for a file with this header.
    public init(_ header: PcapHeader) {
        self.header = header
    }

    /// Appends the header, which begins the file.
    public func appendHeader(to buffer: inout ByteBuffer) {
        let order = header.byteOrder
        buffer.append(header.isNanoseconds ? CaptureMagic.nanoseconds : CaptureMagic.microseconds, order)
        buffer.append(header.majorVersion, order)
        buffer.append(header.minorVersion, order)
        buffer.append(header.timeZone, order)
        buffer.append(header.accuracy, order)
        buffer.append(header.snapLength, order)
        buffer.append(UInt32(header.linkFlags) << 16 | UInt32(header.linkType.rawValue), order)
    }

    /// Appends a packet; the bytes are copied once.
    ///
    /// - Parameters:
    ///   - packet: Its time and its length on the wire. A time that the format cannot represent, before 1970 or long
    ///     after February 2106, becomes the nearest that it can.
    ///   - bytes: The captured bytes.
    ///   - buffer: Receives the packet; nothing is allocated if it has room.
    /// - Precondition: The bytes are at most `PcapngWriter.largestPacket`.
    public func append(_ packet: PacketMetadata, _ bytes: RawSpan, to buffer: inout ByteBuffer) {
        append(packet, upTo: bytes.byteCount, to: &buffer) { room in
            bytes.withUnsafeBytes { room.copyMemory(from: $0) }
            return bytes.byteCount
        }
    }

    /// Appends a packet in two pieces, such as headers and payload, as if they were one.
    ///
    /// - Precondition: As for a packet in one piece.
    public func append(
        _ packet: PacketMetadata,
        _ head: RawSpan,
        _ tail: RawSpan,
        to buffer: inout ByteBuffer
    ) {
        append(packet, upTo: head.byteCount + tail.byteCount, to: &buffer) { room in
            head.withUnsafeBytes { room.copyMemory(from: $0) }
            let rest = UnsafeMutableRawBufferPointer(rebasing: room[head.byteCount...])
            tail.withUnsafeBytes { rest.copyMemory(from: $0) }
            return room.count
        }
    }

    /// Appends a packet that a closure writes in place; the lengths are set afterwards.
    ///
    /// - Parameters:
    ///   - packet: Its time and its length on the wire.
    ///   - limit: The maximum number of bytes that the closure may write.
    ///   - buffer: Receives the packet.
    ///   - body: Writes the packet from the start of the room, which is uninitialised, and returns its size in bytes.
    /// - Throws: What `body` throws; then nothing is appended.
    /// - Precondition: `limit` is between 0 and `PcapngWriter.largestPacket`, and `body` returns between 0 and `limit`.
    public func append<Failure: Error>(
        _ packet: PacketMetadata,
        upTo limit: Int,
        to buffer: inout ByteBuffer,
        using body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) {
        precondition(limit >= 0 && limit <= PcapngWriter.largestPacket, "a packet has at most 128 MiB")
        buffer.reserve(16 + limit)
        let captured = try body(UnsafeMutableRawBufferPointer(start: buffer.storage + (buffer.end &+ 16), count: limit))
        precondition(captured >= 0 && captured <= limit, "more bytes written than reserved")
        let order = header.byteOrder
        let (second, fraction) = time(packet.timestamp ?? 0)
        buffer.append(second, order)
        buffer.append(fraction, order)
        buffer.append(UInt32(truncatingIfNeeded: captured), order)
        buffer.append(packet.originalLength ?? UInt32(truncatingIfNeeded: captured), order)
        buffer.end &+= captured
    }

    @inline(__always)
    private func time(_ timestamp: Int64) -> (second: UInt32, fraction: UInt32) {
        let time = UInt64(max(0, timestamp))
        let unit: UInt64 = header.isNanoseconds ? 1 : 1000
        let (quotient, remainder) = time.quotientAndRemainder(dividingBy: 1_000_000_000)
        let second = UInt32(truncatingIfNeeded: quotient)
        if UInt64(second) == quotient { return (second, UInt32(truncatingIfNeeded: remainder / unit)) }
        // Readers accept a fraction of more than a second.
        return (.max, UInt32(clamping: (time &- UInt64(UInt32.max) * 1_000_000_000) / unit))
    }
}
