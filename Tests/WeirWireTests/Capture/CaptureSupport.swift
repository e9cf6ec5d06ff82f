import WeirWire

/// Gives the bytes that a closure appends to an empty buffer of the least size, so that growth is part of the test.
func written(_ body: (inout ByteBuffer) -> Void) -> [UInt8] {
    var buffer = ByteBuffer(capacity: 0)
    body(&buffer)
    return buffer.withUnsafeBytes { Array($0) }
}

/// Builds the bytes that are expected, number by number.
struct Expected {
    var bytes: [UInt8] = []
    let order: ByteOrder

    init(_ order: ByteOrder) {
        self.order = order
    }

    mutating func halves(_ values: UInt16...) {
        for value in values { append(value) }
    }

    mutating func words(_ values: UInt32...) {
        for value in values { append(value) }
    }

    mutating func double(_ value: UInt64) {
        append(value)
    }

    private mutating func append<Value: FixedWidthInteger>(_ value: Value) {
        let number = order == .big ? value.bigEndian : value.littleEndian
        withUnsafeBytes(of: number) { bytes += $0 }
    }
}

extension Expected {
    /// Makes a block of pcapng out of its body, which is filled up to whole words.
    static func block(_ type: UInt32, _ order: ByteOrder = .little, _ body: (inout Expected) -> Void) -> [UInt8] {
        var content = Expected(order)
        body(&content)
        content.bytes += [UInt8](repeating: 0, count: -content.bytes.count & 3)
        var block = Expected(order)
        block.words(type, UInt32(content.bytes.count + 12))
        block.bytes += content.bytes
        block.words(UInt32(content.bytes.count + 12))
        return block.bytes
    }

    /// Makes a section header.
    static func section(_ order: ByteOrder = .little, major: UInt16 = 1, minor: UInt16 = 0) -> [UInt8] {
        block(0x0a0d_0d0a, order) {
            $0.words(0x1a2b_3c4d)
            $0.halves(major, minor)
            $0.words(.max, .max)
        }
    }

    /// Makes the description of an Ethernet interface.
    static func interface(
        _ order: ByteOrder = .little,
        snapLength: UInt32 = 0,
        options: (inout Expected) -> Void = { _ in }
    ) -> [UInt8] {
        block(1, order) {
            $0.halves(1, 0)
            $0.words(snapLength)
            options(&$0)
        }
    }

    /// Makes an Enhanced Packet Block with 4 bytes of a packet at second 1.
    static func packet(
        _ order: ByteOrder = .little,
        interface: UInt32 = 0,
        captured: UInt32 = 4,
        options: (inout Expected) -> Void = { _ in }
    ) -> [UInt8] {
        block(6, order) {
            $0.words(interface, 0, 1_000_000, captured, 4)
            $0.bytes += [1, 2, 3, 4]
            options(&$0)
        }
    }

    /// Appends an option.
    mutating func option(_ code: UInt16, _ value: [UInt8], length: UInt16? = nil) {
        halves(code, length ?? UInt16(value.count))
        bytes += value + [UInt8](repeating: 0, count: -value.count & 3)
    }
}
