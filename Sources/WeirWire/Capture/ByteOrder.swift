/// Names the order in which the bytes of a number stand.
@frozen
public enum ByteOrder: UInt8, Sendable, Hashable, CaseIterable {
    /// Has the least significant byte first.
    case little
    /// Has the most significant byte first, as on the network.
    case big

    /// Names the order of the machine that this runs on.
    @inlinable
    public static var host: ByteOrder {
        #if _endian(big)
        .big
        #else
        .little
        #endif
    }

    /// Turns a number of this order into one of the host's, and the other way round.
    @inlinable
    @inline(__always)
    func convert<Value: FixedWidthInteger>(_ value: Value) -> Value {
        self == .host ? value : value.byteSwapped
    }
}
