extension PcapngWriter {
    /// The maximum size of a packet, in bytes.
    public static var largestPacket: Int { 128 << 20 }

    /// Appends a packet as an Enhanced Packet Block; the bytes are copied once.
    ///
    /// - Parameters:
    ///   - packet: Its properties; one without a timestamp is written with the start of 1970.
    ///   - bytes: The captured bytes.
    ///   - buffer: Receives the block; nothing is allocated if it has room and the packet has no comments.
    /// - Precondition: The interface was described in this section, and the bytes are at most `largestPacket`.
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
    ///   - packet: Its properties.
    ///   - limit: The maximum number of bytes that the closure may write.
    ///   - buffer: Receives the block.
    ///   - body: Writes the packet from the start of the room, which is uninitialised, and returns its size in bytes.
    /// - Throws: What `body` throws; then nothing is appended.
    /// - Precondition: The interface was described in this section, `limit` is between 0 and `largestPacket`, and
    ///   `body` returns between 0 and `limit`.
    public func append<Failure: Error>(
        _ packet: PacketMetadata,
        upTo limit: Int,
        to buffer: inout ByteBuffer,
        using body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) {
        precondition(limit >= 0 && limit <= Self.largestPacket, "a packet has at most 128 MiB")
        precondition(packet.interface < clocks.count, "a packet's interface is described before it")
        // The head, the packet, its padding, the numeric options, the length again.
        buffer.reserve(Self.headSize + limit + 4 + Self.numbersSize + 4)
        let place = buffer.storage + (buffer.end &+ Self.headSize)
        let captured = try body(UnsafeMutableRawBufferPointer(start: place, count: limit))
        precondition(captured >= 0 && captured <= limit, "more bytes written than reserved")
        let start = buffer.count
        appendHead(packet, captured: UInt32(truncatingIfNeeded: captured), to: &buffer)
        buffer.end &+= captured
        buffer.pad(captured)
        appendOptions(packet.options, to: &buffer)
        buffer.closeBlock(start, byteOrder)
    }

    private static var headSize: Int { 28 }
    /// The size of the options for flags, packet id, drop count, queue and process, and of the end, in bytes.
    private static var numbersSize: Int { 8 + 12 + 12 + 8 + 12 + 4 }

    @inline(__always)
    private func appendHead(_ packet: PacketMetadata, captured: UInt32, to buffer: inout ByteBuffer) {
        let units = packet.timestamp.map(clocks[Int(packet.interface)].units) ?? 0
        buffer.append(BlockType.enhancedPacket.rawValue, byteOrder)
        buffer.append(0 as UInt32, byteOrder)
        buffer.append(packet.interface, byteOrder)
        buffer.append(UInt32(truncatingIfNeeded: units >> 32), byteOrder)
        buffer.append(UInt32(truncatingIfNeeded: units), byteOrder)
        buffer.append(captured, byteOrder)
        buffer.append(packet.originalLength ?? captured, byteOrder)
    }

    @inline(__always)
    private func appendOptions(_ options: PacketOptions, to buffer: inout ByteBuffer) {
        typealias Code = PacketOptions.Code
        let start = buffer.count
        buffer.appendOption(Code.flags, options.flags?.rawValue, byteOrder)
        buffer.appendOption(Code.dropCount, options.dropCount, byteOrder)
        buffer.appendOption(Code.packetID, options.packetID, byteOrder)
        buffer.appendOption(Code.queue, options.queue, byteOrder)
        if let process = options.process {
            buffer.append(Code.process, byteOrder)
            buffer.append(8 as UInt16, byteOrder)
            buffer.append(process.process, byteOrder)
            buffer.append(process.thread, byteOrder)
        }
        buffer.appendOptions(comments: options.comments, others: options.others, byteOrder)
        buffer.closeOptions(start)
    }
}
