/// A reader of a capture whose bytes arrive in pieces of any size, as from a pipe.
///
/// Read items until there is none, append the next piece, and call `finish()` at the end of the file:
///
///     while let item = try stream.next() { ... }
///     stream.append(piece)
///
/// The stream keeps only unread bytes: less than one packet or block, and one piece. It reads a file of any size in
/// constant memory.
public struct CaptureStream: ~Copyable, Sendable {
    /// The reader, with its properties of the file.
    public private(set) var reader = CaptureReader()
    @usableFromInline var buffer: ByteBuffer
    /// The offset in the file of the first byte in the buffer.
    private var base = 0

    /// Creates a stream at the start of a file, with room for a number of bytes.
    ///
    /// - Precondition: `capacity` is not negative.
    public init(capacity: Int = 64 << 10) {
        buffer = ByteBuffer(capacity: capacity)
    }

    /// The offset in the file of the byte after the last appended one.
    public var end: Int { base + buffer.count }

    /// The size of the storage in bytes.
    public var capacity: Int { buffer.capacity }

    /// Appends a copy of the next piece of the file.
    ///
    /// Packets returned before the call become invalid.
    public mutating func append(_ bytes: RawSpan) {
        discard()
        buffer.append(bytes)
    }

    /// Appends the next piece of the file, which a closure writes in place, without another copy.
    ///
    /// - Parameters:
    ///   - count: The maximum number of bytes that the closure may write.
    ///   - body: Writes from the start of the room, and returns the number of bytes written.
    /// - Returns: The number of bytes appended.
    /// - Throws: What `body` throws; then nothing is appended.
    /// - Precondition: `count` is not negative, and `body` returns between 0 and `count`.
    @discardableResult
    public mutating func append<Failure: Error>(
        upTo count: Int,
        using body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) -> Int {
        discard()
        return try buffer.append(upTo: count, using: body)
    }

    /// Returns whether the next unread byte is there, and has a value.
    package func begins(with byte: UInt8) -> Bool { buffer.withUnsafeBytes { $0.first == byte } }

    /// Lends all bytes, and discards them: for a file that is no capture, from which no item is ever read.
    package mutating func takeAll(_ body: (UnsafeRawBufferPointer) -> Void) {
        buffer.withUnsafeBytes(body)
        buffer.removeFirst(buffer.count)
    }

    /// Appends the next piece of the file by taking its buffer, and gives back the used buffer in exchange.
    ///
    /// Only unread bytes are copied: in front of the piece, if its buffer has room there.
    ///
    /// - Parameter piece: The next piece of the file; afterwards a buffer for reuse.
    public mutating func exchange(_ piece: inout ByteBuffer) {
        discard()
        if buffer.withUnsafeBytes({ piece.prepend($0) }) {
            swap(&buffer, &piece)
        } else {
            piece.withUnsafeBytes { buffer.append($0) }
        }
    }

    /// Reads the next item; nil if that takes more of the file.
    ///
    /// - Throws: The problem with the file.
    public mutating func next() throws(CaptureFileError) -> CaptureItem? {
        let base = base
        return try buffer.withUnsafeBytes { bytes throws(CaptureFileError) in
            try reader.next(in: bytes.bytes, at: base)
        }
    }

    /// Reads the next packet if it is a plain one; nil if it is not, and the caller must use `next()`.
    ///
    /// It returns the same as `next()`, in half the time: call it first while only packets are of interest.
    public mutating func nextPlain() -> CapturedPacket? {
        let base = base
        return buffer.withUnsafeBytes { reader.nextPlain(in: $0.bytes, at: base) }
    }

    /// Checks that the file may end here.
    ///
    /// - Throws: The problem with the file: it is no capture, or it is cut in the middle of an item.
    public func finish() throws(CaptureFileError) {
        try reader.finish(at: end)
    }

    /// Lends the bytes of the last packet that was returned.
    ///
    /// - Parameters:
    ///   - packet: The packet.
    ///   - body: Reads the bytes.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    /// - Precondition: The packet is one of this stream, and nothing was appended since.
    @inlinable
    @inline(__always)
    public func withBytes<Result: ~Copyable, Failure: Error>(
        of packet: CapturedPacket,
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try withWindow { window throws(Failure) in try body(window.extracting(packet.range)) }
    }

    /// Returns what the file records about a packet besides its bytes; allocates if there are comments.
    ///
    /// - Precondition: The packet is one of this stream, and nothing was appended since.
    public func metadata(of packet: CapturedPacket) -> PacketMetadata {
        withWindow { reader.metadata(of: packet, in: $0) }
    }

    @inlinable
    @inline(__always)
    func withWindow<Result: ~Copyable, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try buffer.withUnsafeBytes { bytes throws(Failure) in try body(bytes.bytes) }
    }

    /// Discards the bytes that were read, and those to be skipped.
    private mutating func discard() {
        let count = min(reader.position - base, buffer.count)
        buffer.removeFirst(count)
        base += count
    }
}
