/// Holds the header of a TCP segment.
///
/// ```
///  0 source port             2 destination port
///  4 sequence number
///  8 acknowledgment number
/// 12 header length in words (4 bits), flags (12 bits)   14 window
/// 16 checksum               18 urgent pointer           20 options, 0 to 40 bytes
/// ```
/// The header is emitted as it was parsed, byte for byte.
///
/// Source: RFC 9293 section 3.1.
public struct TCPHeader: Hashable, Sendable {
    /// Gives the size of a header without options in bytes.
    public static let minimumSize = 20

    /// Holds the sender's port.
    public var sourcePort: UInt16
    /// Holds the receiver's port.
    public var destinationPort: UInt16
    /// Holds the number of the first byte, or of SYN.
    public var sequenceNumber: UInt32
    /// Holds the number of the byte that the sender waits for.
    public var acknowledgmentNumber: UInt32
    /// Says what the segment means.
    public var flags: TCPFlags
    /// Holds how many more bytes the sender would take, before scaling.
    public var window: UInt16
    /// Holds the checksum, as on the wire.
    public var checksum: UInt16 = 0
    /// Holds where urgent bytes end, in bytes from the sequence number.
    public var urgentPointer: UInt16 = 0
    /// Holds the options.
    public var options: TCPOptions

    /// Creates a header; its checksum is still to be set.
    public init(
        sourcePort: UInt16,
        destinationPort: UInt16,
        sequenceNumber: UInt32,
        acknowledgmentNumber: UInt32,
        flags: TCPFlags,
        window: UInt16,
        options: TCPOptions = TCPOptions()
    ) {
        self.sourcePort = sourcePort
        self.destinationPort = destinationPort
        self.sequenceNumber = sequenceNumber
        self.acknowledgmentNumber = acknowledgmentNumber
        self.flags = flags
        self.window = window
        self.options = options
    }

    private enum Layout {
        static let sourcePort = HeaderNumber<UInt16>(at: 0)
        static let destinationPort = HeaderNumber<UInt16>(at: 2)
        static let sequenceNumber = HeaderNumber<UInt32>(at: 4)
        static let acknowledgmentNumber = HeaderNumber<UInt32>(at: 8)
        static let lengthAndFlags = HeaderNumber<UInt16>(at: 12)
        static let window = HeaderNumber<UInt16>(at: 14)
        static let checksum = HeaderNumber<UInt16>(at: 16)
        static let urgentPointer = HeaderNumber<UInt16>(at: 18)
    }
}

extension TCPHeader {
    /// Gives the size of the header with its options in bytes.
    public var size: Int { Self.minimumSize + options.bytes.paddedCount }

    /// Parses the header that begins at an offset.
    ///
    /// - Throws: `truncated`; `malformed` where the header's length is under 20 bytes.
    public init(parsing bytes: RawSpan, at offset: Int = 0) throws(DecodeError) {
        try bytes.require(Self.minimumSize, at: offset)
        let lengthAndFlags = bytes.load(Layout.lengthAndFlags, at: offset)
        let size = Int(lengthAndFlags >> 12) &* 4
        guard size >= Self.minimumSize else {
            throw .malformed(.tcpHeaderLength, at: offset &+ Layout.lengthAndFlags.offset)
        }
        try bytes.require(size, at: offset)
        self.sourcePort = bytes.load(Layout.sourcePort, at: offset)
        self.destinationPort = bytes.load(Layout.destinationPort, at: offset)
        self.sequenceNumber = bytes.load(Layout.sequenceNumber, at: offset)
        self.acknowledgmentNumber = bytes.load(Layout.acknowledgmentNumber, at: offset)
        self.flags = TCPFlags(rawValue: lengthAndFlags)
        self.window = bytes.load(Layout.window, at: offset)
        self.checksum = bytes.load(Layout.checksum, at: offset)
        self.urgentPointer = bytes.load(Layout.urgentPointer, at: offset)
        self.options = TCPOptions()
        if size > Self.minimumSize {
            options.bytes = OptionBytes(parsing: bytes, from: offset &+ Self.minimumSize, to: offset &+ size)
        }
    }

    /// Appends the bytes of the header as it is, its checksum included.
    public func emit(to buffer: inout ByteBuffer) {
        buffer.append(upTo: size) { emit(into: $0) }
    }

    /// Writes the bytes of the header as it is to the start of a room, and returns how many they are.
    ///
    /// - Precondition: The room has as many bytes as `size` says.
    public func emit(into room: UnsafeMutableRawBufferPointer) -> Int {
        room.require(size)
        room.store(sourcePort, in: Layout.sourcePort)
        room.store(destinationPort, in: Layout.destinationPort)
        room.store(sequenceNumber, in: Layout.sequenceNumber)
        room.store(acknowledgmentNumber, in: Layout.acknowledgmentNumber)
        room.store(lengthAndFlags, in: Layout.lengthAndFlags)
        room.store(window, in: Layout.window)
        room.store(checksum, in: Layout.checksum)
        room.store(urgentPointer, in: Layout.urgentPointer)
        return Self.minimumSize &+ options.bytes.emit(into: room, at: Self.minimumSize)
    }

    /// Puts the right checksum into the header.
    ///
    /// Complexity: O(n) in the payload's length.
    public mutating func setChecksum(from source: IPAddress, to destination: IPAddress, payload: RawSpan) {
        var sum = Checksum()
        sum.add(payload)
        setChecksum(from: source, to: destination, payload: sum, count: payload.byteCount)
    }

    /// Puts the right checksum into the header, for a payload whose sum and length in bytes are known.
    public mutating func setChecksum(
        from source: IPAddress,
        to destination: IPAddress,
        payload: Checksum,
        count: Int
    ) {
        checksum = 0
        var sum = sum(from: source, to: destination, count: count)
        sum.add(payload)
        checksum = sum.value
    }

    /// Says whether the checksum is right.
    public func hasValidChecksum(from source: IPAddress, to destination: IPAddress, payload: RawSpan) -> Bool {
        var sum = sum(from: source, to: destination, count: payload.byteCount)
        sum.add(payload)
        return sum.isValid
    }

    /// Sums the pseudo-header and the header, for a payload of so many bytes.
    private func sum(from source: IPAddress, to destination: IPAddress, count: Int) -> Checksum {
        var sum = Checksum(pseudoHeaderFrom: source, to: destination, protocol: .tcp, length: size &+ count)
        sum.add(UInt32(sourcePort) << 16 | UInt32(destinationPort))
        sum.add(sequenceNumber)
        sum.add(acknowledgmentNumber)
        sum.add(UInt32(lengthAndFlags) << 16 | UInt32(window))
        sum.add(UInt32(checksum) << 16 | UInt32(urgentPointer))
        options.bytes.add(to: &sum)
        return sum
    }

    private var lengthAndFlags: UInt16 { UInt16(truncatingIfNeeded: size >> 2) << 12 | flags.rawValue }
}
