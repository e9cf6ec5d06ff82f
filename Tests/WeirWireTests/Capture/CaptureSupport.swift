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
