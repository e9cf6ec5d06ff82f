/// A growable buffer of bytes, for rendering output.
///
/// Bytes are appended at the end and removed from the front, as `write(2)` takes them. The buffer keeps its storage
/// when it is emptied, so a buffer that is reused stops allocating.
///
/// The conformance to `Sendable` is unchecked only because of the pointer. The buffer cannot be copied, it alone owns
/// the storage, and it lends the storage only for the time of a call, so only its owner can touch the bytes.
@frozen
public struct ByteBuffer: ~Copyable, @unchecked Sendable {
    @usableFromInline var storage: UnsafeMutableRawPointer
    @usableFromInline var start = 0
    @usableFromInline var end = 0

    /// The size of the storage in bytes.
    public private(set) var capacity: Int

    /// Creates an empty buffer with room for a number of bytes.
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

    /// The number of bytes in the buffer.
    @inlinable
    public var count: Int { end &- start }

    /// Whether the buffer is empty.
    @inlinable
    public var isEmpty: Bool { end == start }

    /// The bytes as UTF-8 text, with invalid sequences repaired.
    public var string: String {
        withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// Lends the bytes for reading.
    ///
    /// - body: Reads the bytes; the pointer is valid only during the call.
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
    /// - Precondition: `count` is between 0 and the number of bytes in the buffer.
    @inlinable
    public mutating func removeFirst(_ count: Int) {
        precondition(count >= 0 && count <= self.count, "more bytes removed than held")
        start &+= count
        if start == end { removeAll() }
    }

    /// Removes bytes from the end, so that a number of them is left.
    ///
    /// - Precondition: `count` is between 0 and the number of bytes in the buffer.
    @inlinable
    public mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= self.count, "more bytes kept than held")
        end = start &+ count
    }

    /// Replaces bytes by others, and moves those after them.
    ///
    /// Complexity: O(n) in the bytes after them.
    ///
    /// - Precondition: The range is one of bytes in the buffer.
    mutating func replace(_ range: Range<Int>, with bytes: UnsafeRawBufferPointer) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "a range beyond the buffer")
        reserve(max(bytes.count - range.count, 0))
        let place = storage + start + range.lowerBound
        (place + bytes.count).copyMemory(from: place + range.count, byteCount: count - range.upperBound)
        if let source = bytes.baseAddress { place.copyMemory(from: source, byteCount: bytes.count) }
        end = end &- range.count &+ bytes.count
    }

    /// Empties the buffer, and leaves room in front for `prepend`.
    ///
    /// - Precondition: `headroom` is between 0 and the capacity.
    public mutating func removeAll(headroom: Int) {
        precondition(headroom >= 0 && headroom <= capacity, "room beyond the buffer")
        start = headroom
        end = headroom
    }

    /// Copies bytes in front of those in the buffer, if there is room.
    ///
    /// - Returns: Whether there was room; if not, the buffer is unchanged.
    public mutating func prepend(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count <= start else { return false }
        guard let source = bytes.baseAddress, bytes.count > 0 else { return true }
        start &-= bytes.count
        (storage + start).copyMemory(from: source, byteCount: bytes.count)
        return true
    }

    /// Makes room for a number of further bytes, so that appending them does not allocate.
    ///
    /// Growth at least doubles the storage, so n appended bytes cost O(n) in total.
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
            // At least as many bytes were removed as now move, so moving costs O(1) for each appended byte.
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
        // Not `text.utf8.span`: Swift 6.3.1 in release mode reads a short text's bytes after the text is freed.
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

    /// Appends bytes that a closure writes directly into reserved room.
    ///
    /// - Parameters:
    ///   - count: The maximum number of bytes that the closure may write.
    ///   - body: Writes from the start of the room, which is uninitialised, and returns the number of bytes written.
    /// - Returns: The number of bytes appended.
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
