/// Holds bytes that are being rendered, and grows as needed.
///
/// Bytes are appended at the end and removed from the front, as `write(2)` takes them. The storage is kept when the
/// buffer is emptied, so that a buffer that is used again and again stops allocating.
///
/// The conformance to `Sendable` is unchecked only because of the pointer: the buffer cannot be copied, it alone owns
/// the storage, and lends it only for the time of a call, so that whoever holds the buffer is the only one to touch it.
@frozen
public struct ByteBuffer: ~Copyable, @unchecked Sendable {
    @usableFromInline var storage: UnsafeMutableRawPointer
    @usableFromInline var start = 0
    @usableFromInline var end = 0

    /// Gives the size of the storage in bytes.
    public private(set) var capacity: Int

    /// Creates an empty buffer with room for so many bytes.
    ///
    /// - Precondition: `capacity` is not negative.
    public init(capacity: Int = 256) {
        precondition(capacity >= 0, "a capacity is not negative")
        self.capacity = max(capacity, 16)
        self.storage = .allocate(byteCount: self.capacity, alignment: 16)
    }

    deinit {
        storage.deallocate()
    }

    /// Gives how many bytes the buffer holds.
    @inlinable
    public var count: Int { end &- start }

    /// Says whether the buffer holds no byte.
    @inlinable
    public var isEmpty: Bool { end == start }

    /// Copies the bytes as UTF-8 text, wrong bytes repaired.
    public var string: String {
        withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// Lends the bytes for reading.
    ///
    /// - Parameter body: Reads the bytes; the pointer is good for the call only.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    @inlinable
    public func withUnsafeBytes<Result: ~Copyable, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(start: storage + start, count: count))
    }

    /// Empties the buffer and keeps its storage.
    @inlinable
    public mutating func removeAll() {
        start = 0
        end = 0
    }

    /// Removes bytes from the front without moving the others.
    ///
    /// - Precondition: `count` is between 0 and the number of bytes held.
    @inlinable
    public mutating func removeFirst(_ count: Int) {
        precondition(count >= 0 && count <= self.count, "more bytes removed than held")
        start &+= count
        if start == end { removeAll() }
    }

    /// Empties the buffer, and leaves room before what will be appended, for `prepend`.
    ///
    /// - Precondition: `headroom` is between 0 and the capacity.
    public mutating func removeAll(headroom: Int) {
        precondition(headroom >= 0 && headroom <= capacity, "room beyond the buffer")
        start = headroom
        end = headroom
    }

    /// Puts a copy of some bytes before those that are held, where there is room for them.
    ///
    /// - Returns: Whether there was room; if not, nothing was done.
    public mutating func prepend(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count <= start else { return false }
        guard let source = bytes.baseAddress, bytes.count > 0 else { return true }
        start &-= bytes.count
        (storage + start).copyMemory(from: source, byteCount: bytes.count)
        return true
    }

    /// Makes room for so many more bytes, so that appending them does not allocate.
    ///
    /// Growth at least doubles the storage, so that n appended bytes cost O(n) in all.
    ///
    /// - Precondition: `additional` is not negative.
    @inlinable
    public mutating func reserve(_ additional: Int) {
        precondition(additional >= 0, "a size is not negative")
        if additional > capacity &- end { makeRoom(additional) }
    }

    @inline(never)
    @usableFromInline
    mutating func makeRoom(_ additional: Int) {
        let count = count
        let needed = count + additional
        if needed <= capacity, start >= count {
            // At least as many bytes were removed as move now, so moving costs O(1) for each byte appended.
            storage.copyMemory(from: storage + start, byteCount: count)
        } else {
            let size = max(needed, capacity * 2)
            let larger = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
            larger.copyMemory(from: storage + start, byteCount: count)
            storage.deallocate()
            storage = larger
            capacity = size
        }
        start = 0
        end = count
    }
}

// Appending bytes
extension ByteBuffer {
    /// Appends one byte.
    @inlinable
    public mutating func append(_ byte: UInt8) {
        if end == capacity { makeRoom(1) }
        storage.storeBytes(of: byte, toByteOffset: end, as: UInt8.self)
        end &+= 1
    }

    /// Appends the UTF-8 bytes of a text known at compile time.
    @inlinable
    public mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { append(UnsafeRawBufferPointer($0)) }
    }

    /// Appends the UTF-8 bytes of a text.
    @inlinable
    @_disfavoredOverload
    public mutating func append(_ text: String) {
        // Not `text.utf8.span`: Swift 6.3.1 in release mode reads a short text's bytes after their end of life.
        var text = text
        text.withUTF8 { append(UnsafeRawBufferPointer($0)) }
    }

    /// Appends a copy of some bytes.
    @inlinable
    public mutating func append(_ bytes: RawSpan) {
        bytes.withUnsafeBytes { append($0) }
    }

    @inlinable
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        reserve(bytes.count)
        (storage + end).copyMemory(from: source, byteCount: bytes.count)
        end &+= bytes.count
    }

    /// Appends bytes that a closure writes straight into reserved room.
    ///
    /// - Parameters:
    ///   - count: How many bytes the closure may write.
    ///   - body: Writes from the start of the room, which is not initialised, and returns how many bytes it wrote.
    /// - Returns: How many bytes were appended.
    /// - Throws: What `body` throws; then nothing is appended.
    /// - Precondition: `count` is not negative, and `body` returns between 0 and `count`.
    @inlinable
    @discardableResult
    public mutating func append<Failure: Error>(
        upTo count: Int,
        using body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) -> Int {
        reserve(count)
        let written = try body(UnsafeMutableRawBufferPointer(start: storage + end, count: count))
        precondition(written >= 0 && written <= count, "more bytes written than reserved")
        end &+= written
        return written
    }
}
