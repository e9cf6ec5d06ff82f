// What the writers of pcapng and pcap append. An offset is counted from the first byte that the buffer holds.
extension ByteBuffer {
    /// Appends a number in a byte order.
    @inline(__always)
    mutating func append<Value: FixedWidthInteger>(_ value: Value, _ order: ByteOrder) {
        reserve(MemoryLayout<Value>.size)
        storage.storeBytes(of: order.convert(value), toByteOffset: end, as: Value.self)
        end &+= MemoryLayout<Value>.size
    }

    /// Puts a number in the place of bytes that the buffer holds.
    @inline(__always)
    mutating func store<Value: FixedWidthInteger>(_ value: Value, at offset: Int, _ order: ByteOrder) {
        storage.storeBytes(of: order.convert(value), toByteOffset: start &+ offset, as: Value.self)
    }

    /// Appends zeros until a value of so many bytes fills whole words of 4.
    @inline(__always)
    mutating func pad(_ count: Int) {
        let padding = -count & 3
        reserve(4)
        storage.storeBytes(of: 0, toByteOffset: end, as: UInt32.self)
        end &+= padding
    }

    /// Begins a block whose length is not known yet; returns where it begins.
    mutating func openBlock(_ type: BlockType, _ order: ByteOrder) -> Int {
        let start = count
        append(type.rawValue, order)
        append(0 as UInt32, order)
        return start
    }

    /// Ends the block that begins at an offset: sets both its lengths.
    mutating func closeBlock(_ start: Int, _ order: ByteOrder) {
        let length = UInt32(truncatingIfNeeded: count &- start &+ 4)
        append(length, order)
        store(length, at: start &+ 4, order)
    }
}

// Options
extension ByteBuffer {
    /// The most bytes that the value of an option, or of a name record, has.
    static var largestOption: Int { 65_535 }

    /// Appends an option of a number.
    mutating func appendOption<Value: FixedWidthInteger>(_ code: UInt16, _ value: Value?, _ order: ByteOrder) {
        guard let value else { return }
        append(code, order)
        append(UInt16(MemoryLayout<Value>.size), order)
        append(value, order)
        pad(MemoryLayout<Value>.size)
    }

    /// Appends an option of a text, which ends where an octet is zero and where an option is full.
    mutating func appendOption(_ code: UInt16, _ text: String?, _ order: ByteOrder) {
        guard let text else { return }
        append(code, order)
        let place = count
        append(0 as UInt16, order)
        let size = appendText(text, upTo: Self.largestOption)
        store(UInt16(truncatingIfNeeded: size), at: place, order)
        pad(size)
    }

    /// Appends an option of bytes.
    ///
    /// - Precondition: The bytes, with the enterprise number where there is one, are at most 65,535.
    mutating func appendOption(_ code: UInt16, enterprise: UInt32? = nil, _ bytes: [UInt8], _ order: ByteOrder) {
        let size = bytes.count + (enterprise == nil ? 0 : 4)
        precondition(size <= Self.largestOption, "an option holds at most 65,535 bytes")
        append(code, order)
        append(UInt16(size), order)
        if let enterprise { append(enterprise, order) }
        append(bytes.span.bytes)
        pad(size)
    }

    /// Appends comments, then options that have no place of their own.
    mutating func appendOptions(comments: [String], others: [CaptureOption], _ order: ByteOrder) {
        for comment in comments { appendOption(CommonOption.comment, comment, order) }
        for option in others { appendOption(option.code, enterprise: option.enterprise, option.bytes, order) }
    }

    /// Ends the list of options that began at an offset; an empty list has no end.
    mutating func closeOptions(_ start: Int) {
        if count > start { append(0 as UInt32, .host) }
    }

    /// Appends a text up to its first zero octet, or as many whole characters as there is room for; returns the bytes.
    mutating func appendText(_ text: String, upTo limit: Int) -> Int {
        // Not `text.utf8.span`: Swift 6.3.1 in release mode reads a short text's bytes after their end of life.
        var text = text
        return text.withUTF8 { bytes in
            var size = min(limit, bytes.firstIndex(of: 0) ?? bytes.count)
            // A byte 0b10xxxxxx goes on with the character before it.
            while size < bytes.count, size > 0, bytes[size] & 0xc0 == 0x80 { size -= 1 }
            append(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[..<size]))
            return size
        }
    }
}
