/// An internet checksum: the ones' complement of the ones' complement sum of 16-bit words.
///
/// Bytes may be added in several spans of any length, odd ones included; the sum is that of the joined spans.
///
/// Source: RFC 1071 sections 1 and 2.
@frozen
public struct Checksum: Sendable {
    /// The sum of the byte pairs in the machine's byte order, folded to 32 bits.
    @usableFromInline var sum: UInt64 = 0
    /// Whether the bytes so far end in the middle of a pair.
    @usableFromInline var isOdd = false

    /// Creates a checksum of no bytes.
    @inlinable
    public init() {}

    /// Creates a checksum that begins with the pseudo-header of TCP, UDP or ICMPv6.
    ///
    /// - Parameters:
    ///   - source: The sender; its family decides between the IPv4 and the IPv6 pseudo-header.
    ///   - destination: The final receiver.
    ///   - protocol: The number of the upper-layer protocol.
    ///   - length: The upper layer's header and payload, in bytes; only the low 32 bits count.
    ///
    /// Source: RFC 9293 section 3.1, RFC 768, RFC 8200 section 8.1.
    @inlinable
    public init(
        pseudoHeaderFrom source: IPAddress,
        to destination: IPAddress,
        protocol: IPProtocol,
        length: Int
    ) {
        add(source)
        add(destination)
        add(UInt32(`protocol`.rawValue))
        add(UInt32(truncatingIfNeeded: length))
    }

    /// The checksum as a number in host order, the value of a header's checksum field.
    @inlinable
    public var value: UInt16 {
        var folded = sum
        folded = (folded & 0xffff) &+ (folded >> 16)
        folded = (folded & 0xffff) &+ (folded >> 16)
        folded = (folded & 0xffff) &+ (folded >> 16)
        return ~UInt16(bigEndian: UInt16(truncatingIfNeeded: folded))
    }

    /// Whether the checksum within the added bytes is correct.
    @inlinable
    public var isValid: Bool { value == 0 }

    /// Returns the checksum of some bytes, in host order.
    @inlinable
    public static func of(_ bytes: RawSpan) -> UInt16 {
        var checksum = Checksum()
        checksum.add(bytes)
        return checksum.value
    }
}

extension Checksum {
    /// Adds the next bytes.
    ///
    /// Complexity: O(n), at least 16 bytes a step.
    public mutating func add(_ bytes: RawSpan) {
        let added = bytes.withUnsafeBytes { Self.sum(of: $0) }
        accumulate(placed(Self.fold(added)))
        if bytes.byteCount & 1 == 1 { isOdd.toggle() }
    }

    /// Adds the bytes that another checksum was computed over, as if they came next.
    @inlinable
    public mutating func add(_ other: Checksum) {
        accumulate(placed(other.sum))
        if other.isOdd { isOdd.toggle() }
    }

    /// Adds a 16-bit number in host order, as two bytes in network order.
    @inlinable
    public mutating func add(_ number: UInt16) { accumulate(placed(UInt64(number.bigEndian))) }

    /// Adds a 32-bit number in host order, as four bytes in network order.
    @inlinable
    public mutating func add(_ number: UInt32) { accumulate(placed(UInt64(number.bigEndian))) }

    /// Adds a 64-bit number in host order, as eight bytes in network order.
    @inlinable
    public mutating func add(_ number: UInt64) {
        add(UInt32(truncatingIfNeeded: number >> 32))
        add(UInt32(truncatingIfNeeded: number))
    }

    /// Adds the 4 or 16 bytes of an address.
    @inlinable
    public mutating func add(_ address: IPAddress) {
        guard !address.isV4 else { return add(address.v4) }
        add(address.high)
        add(address.low)
    }

    /// Swaps the bytes of each pair if the earlier bytes end in the middle of one, so that all are in their places.
    @inlinable
    func placed(_ pairs: UInt64) -> UInt64 {
        isOdd ? (pairs & 0x00ff_00ff) << 8 | (pairs >> 8) & 0x00ff_00ff : pairs
    }

    /// Adds a value of up to 32 bits and folds the sum to 32 bits again, with end-around carry.
    @inlinable
    mutating func accumulate(_ pairs: UInt64) {
        sum &+= pairs
        sum = (sum & 0xffff_ffff) &+ (sum >> 32)
    }

    private static func fold(_ sum: UInt64) -> UInt64 {
        let once = (sum & 0xffff_ffff) &+ (sum >> 32)
        return (once & 0xffff_ffff) &+ (once >> 32)
    }

    /// Sums 32-bit words in 64 bits, which 16 GiB of bytes cannot overflow; the compiler vectorises the first loop.
    private static func sum(of bytes: UnsafeRawBufferPointer) -> UInt64 {
        let count = bytes.count
        let whole = count & ~7
        var low: UInt64 = 0
        var high: UInt64 = 0
        var offset = 0
        while offset < whole {
            let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            low &+= word & 0xffff_ffff
            high &+= word >> 32
            offset &+= 8
        }
        var sum = low &+ high
        if count & 4 != 0 {
            sum &+= UInt64(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            offset &+= 4
        }
        if count & 2 != 0 {
            sum &+= UInt64(bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
            offset &+= 2
        }
        if count & 1 != 0 {
            // A last odd byte is padded with a zero byte.
            sum &+= UInt64((UInt16(bytes[offset]) << 8).bigEndian)
        }
        return sum
    }
}
