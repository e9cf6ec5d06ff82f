/// Reads a capture whose bytes come in pieces of any size, as from a pipe.
///
/// Take items until there is none, append the next piece, and say when the file ends:
///
///     while let item = try stream.next() { ... }
///     stream.append(piece)
///
/// What is kept is at most what is not read yet: less than one packet or block and one piece. A file of any size is read
/// in constant memory.
public struct CaptureStream: ~Copyable, Sendable {
    /// Holds the reader, with what it says about the file.
    public private(set) var reader = CaptureReader()
    @usableFromInline var buffer: ByteBuffer
    /// The offset in the file of the first byte in the buffer.
    private var base = 0

    /// Creates a stream at the start of a file, with room for so many bytes.
    ///
    /// - Precondition: `capacity` is not negative.
    public init(capacity: Int = 64 << 10) {
        buffer = ByteBuffer(capacity: capacity)
    }

    /// Gives the offset in the file of the byte after the last one that was appended.
    public var end: Int { base + buffer.count }

    /// Gives the size of the storage in bytes.
    public var capacity: Int { buffer.capacity }

    /// Appends a copy of the next piece of the file.
    ///
    /// A packet that was given before must not be asked for afterwards.
    public mutating func append(_ bytes: RawSpan) {
        discard()
        buffer.append(bytes)
    }

    /// Appends the next piece of the file as a closure writes it in its place, without another copy.
    ///
    /// - Parameters:
    ///   - count: How many bytes the closure may write.
    ///   - body: Writes from the start of the room, and returns how many bytes it wrote.
    /// - Returns: How many bytes were appended.
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

    /// Appends the next piece of the file by taking its buffer, and gives the one that was used in its place.
    ///
    /// Only what is not read yet is copied: in front of the piece where the buffer has room there.
    ///
    /// - Parameter piece: Holds the next piece; afterwards a buffer that may be used again.
    public mutating func exchange(_ piece: inout ByteBuffer) {
        discard()
        if buffer.withUnsafeBytes({ piece.prepend($0) }) {
            swap(&buffer, &piece)
        } else {
            piece.withUnsafeBytes { buffer.append($0) }
        }
    }

    /// Reads the next item; nil when more of the file is needed for it.
    ///
    /// - Throws: What is wrong with the file.
    public mutating func next() throws(CaptureFileError) -> CaptureItem? {
        let base = base
        return try buffer.withUnsafeBytes { bytes throws(CaptureFileError) in
            try reader.next(in: bytes.bytes, at: base)
        }
    }

    /// Reads the next packet where nothing about it is special; nil where `next()` is to be asked.
    ///
    /// It gives what `next()` would, in half the time: ask it first, wherever packets are all that is wanted for a while.
    public mutating func nextPlain() -> CapturedPacket? {
        let base = base
        return buffer.withUnsafeBytes { reader.nextPlain(in: $0.bytes, at: base) }
    }

    /// Says that the file ends here.
    ///
    /// - Throws: What is wrong with the file: that it is no capture, or was cut in the middle of something.
    public func finish() throws(CaptureFileError) {
        try reader.finish(at: end)
    }

    /// Lends the bytes of the last packet that was given.
    ///
    /// - Parameters:
    ///   - packet: The packet, before anything was appended.
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

    /// Reads what the file says about a packet besides its bytes; allocates where there are comments.
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

    /// Lets go of what was read, and of what is to be skipped.
    private mutating func discard() {
        let count = min(reader.position - base, buffer.count)
        buffer.removeFirst(count)
        base += count
    }
}
