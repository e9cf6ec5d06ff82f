/// The order of the bytes of a number.
@frozen
public enum ByteOrder: UInt8, Sendable, Hashable, CaseIterable {
    /// Little-endian: the least significant byte first.
    case little
    /// Big-endian: the most significant byte first, as on the network.
    case big

    /// The byte order of this machine.
    @inlinable
    public static var host: ByteOrder {
        #if _endian(big)
        .big
        #else
        .little
        #endif
    }

    /// Converts a number from this byte order to the host's, and back.
    @inlinable
    @inline(__always)
    func convert<Value: FixedWidthInteger>(_ value: Value) -> Value {
        self == .host ? value : value.byteSwapped
    }
}
