// What the writers of pcapng and pcap append. Offsets count from the first byte in the buffer.
extension ByteBuffer {
    /// Appends a number in a byte order.
    @inline(__always)
    mutating func append<Value: FixedWidthInteger>(_ value: Value, _ order: ByteOrder) {
        reserve(MemoryLayout<Value>.size)
        storage.storeBytes(of: order.convert(value), toByteOffset: end, as: Value.self)
        end &+= MemoryLayout<Value>.size
    }

    /// Overwrites bytes in the buffer with a number.
    @inline(__always)
    mutating func store<Value: FixedWidthInteger>(_ value: Value, at offset: Int, _ order: ByteOrder) {
        storage.storeBytes(of: order.convert(value), toByteOffset: start &+ offset, as: Value.self)
    }

    /// Appends zeros to pad a value of `count` bytes to a multiple of 4.
    @inline(__always)
    mutating func pad(_ count: Int) {
        let padding = -count & 3
        reserve(4)
        storage.storeBytes(of: 0, toByteOffset: end, as: UInt32.self)
        end &+= padding
    }

    /// Begins a block of unknown length; returns its offset.
    mutating func openBlock(_ type: BlockType, _ order: ByteOrder) -> Int {
        let start = count
        append(type.rawValue, order)
        append(0 as UInt32, order)
        return start
    }

    /// Ends the block at an offset: writes both its lengths.
    mutating func closeBlock(_ start: Int, _ order: ByteOrder) {
        let length = UInt32(truncatingIfNeeded: count &- start &+ 4)
        append(length, order)
        store(length, at: start &+ 4, order)
    }
}

// Options
extension ByteBuffer {
    /// The maximum size of an option's value, or of a name record, in bytes.
    static var largestOption: Int { 65_535 }

    /// Appends an option with a number; nothing if it is nil.
    mutating func appendOption<Value: FixedWidthInteger>(_ code: UInt16, _ value: Value?, _ order: ByteOrder) {
        guard let value else { return }
        append(code, order)
        append(UInt16(MemoryLayout<Value>.size), order)
        append(value, order)
        pad(MemoryLayout<Value>.size)
    }

    /// Appends an option with a text, cut at the first zero octet and at the largest size; nothing if it is nil.
    mutating func appendOption(_ code: UInt16, _ text: String?, _ order: ByteOrder) {
        guard let text else { return }
        append(code, order)
        let place = count
        append(0 as UInt16, order)
        let size = appendText(text, upTo: Self.largestOption)
        store(UInt16(truncatingIfNeeded: size), at: place, order)
        pad(size)
    }

    /// Appends an option with bytes.
    ///
    /// - Precondition: The bytes, with the enterprise number if there is one, are at most 65,535.
    mutating func appendOption(_ code: UInt16, enterprise: UInt32? = nil, _ bytes: [UInt8], _ order: ByteOrder) {
        let size = bytes.count + (enterprise == nil ? 0 : 4)
        precondition(size <= Self.largestOption, "an option holds at most 65,535 bytes")
        append(code, order)
        append(UInt16(size), order)
        if let enterprise { append(enterprise, order) }
        append(bytes.span.bytes)
        pad(size)
    }

    /// Appends comments, then the options that have no property of their own.
    mutating func appendOptions(comments: [String], others: [CaptureOption], _ order: ByteOrder) {
        for comment in comments { appendOption(CommonOption.comment, comment, order) }
        for option in others { appendOption(option.code, enterprise: option.enterprise, option.bytes, order) }
    }

    /// Ends the list of options that began at an offset; an empty list needs no end.
    mutating func closeOptions(_ start: Int) {
        if count > start { append(0 as UInt32, .host) }
    }

    /// Appends a text up to its first zero octet, or as many whole characters as fit; returns the number of bytes.
    mutating func appendText(_ text: String, upTo limit: Int) -> Int {
        // Not `text.utf8.span`: Swift 6.3.1 in release mode reads a short text's bytes after their end of life.
        var text = text
        return text.withUTF8 { bytes in
            var size = min(limit, bytes.firstIndex(of: 0) ?? bytes.count)
            // A byte 0b10xxxxxx continues the character before it.
            while size < bytes.count, size > 0, bytes[size] & 0xc0 == 0x80 { size -= 1 }
            append(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[..<size]))
            return size
        }
    }
}
