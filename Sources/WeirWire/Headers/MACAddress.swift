/// The 48-bit address of an interface on an Ethernet.
///
/// Source: IEEE Std 802-2014 section 8.
@frozen
public struct MACAddress: Hashable, Sendable {
    /// The address in the low 48 bits: the first byte on the wire is the most significant one.
    public let value: UInt64

    /// Creates an address from the low 48 bits of a number.
    @inlinable
    public init(_ value: UInt64) {
        self.value = value & 0xffff_ffff_ffff
    }

    /// The address 00:00:00:00:00:00, which both ends of a loopback have.
    @inlinable
    public static var zero: MACAddress { MACAddress(0) }

    /// The broadcast address, ff:ff:ff:ff:ff:ff.
    @inlinable
    public static var broadcast: MACAddress { MACAddress(0xffff_ffff_ffff) }

    /// Whether this is a group address (multicast or broadcast).
    @inlinable
    public var isGroup: Bool { value >> 40 & 1 == 1 }

    /// Whether an administrator assigned this address, not the manufacturer.
    @inlinable
    public var isLocal: Bool { value >> 40 & 2 == 2 }
}

extension MACAddress: CustomStringConvertible {
    /// The text, such as `02:00:5e:10:00:01`.
    public var description: String {
        var buffer = ByteBuffer(capacity: 17)
        write(to: &buffer)
        return buffer.string
    }

    /// Appends the text to a buffer, without an allocation if the buffer has room.
    public func write(to buffer: inout ByteBuffer) {
        var shift = UInt64(40)
        while true {
            buffer.appendHex(UInt32(truncatingIfNeeded: value >> shift), digits: 2)
            guard shift > 0 else { return }
            buffer.append(UInt8(ascii: ":"))
            shift -= 8
        }
    }
}
