/// The header of a TCP segment.
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
    /// The size of a header without options, in bytes.
    public static let minimumSize = 20

    /// The sender's port.
    public var sourcePort: UInt16
    /// The receiver's port.
    public var destinationPort: UInt16
    /// The sequence number of the first byte, or of SYN.
    public var sequenceNumber: UInt32
    /// The number of the next byte that the sender expects.
    public var acknowledgmentNumber: UInt32
    /// The control bits.
    public var flags: TCPFlags
    /// The receive window of the sender in bytes, before scaling.
    public var window: UInt16
    /// The checksum, as on the wire.
    public var checksum: UInt16 = 0
    /// The end of the urgent bytes, in bytes from the sequence number.
    public var urgentPointer: UInt16 = 0
    /// The options.
    public var options: TCPOptions

    /// Creates a header; the checksum is not set yet.
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
    /// The size of the header with its options, in bytes.
    public var size: Int { Self.minimumSize + options.bytes.paddedCount }

    /// Parses the header at an offset.
    ///
    /// - Throws: `truncated`; `malformed` if the header's length is under 20 bytes.
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

    /// Reads the first 16 bytes of a header that is truncated after its window, or whose length field is wrong.
    ///
    /// - Returns: The header without checksum and options; nil if there are fewer than 16 bytes.
    @inline(__always)
    init?(cut bytes: RawSpan, at offset: Int) {
        guard offset <= bytes.byteCount, bytes.byteCount &- offset >= Layout.checksum.offset else { return nil }
        self.init(
            sourcePort: bytes.load(Layout.sourcePort, at: offset),
            destinationPort: bytes.load(Layout.destinationPort, at: offset),
            sequenceNumber: bytes.load(Layout.sequenceNumber, at: offset),
            acknowledgmentNumber: bytes.load(Layout.acknowledgmentNumber, at: offset),
            flags: TCPFlags(rawValue: bytes.load(Layout.lengthAndFlags, at: offset)),
            window: bytes.load(Layout.window, at: offset)
        )
    }

    /// The offset of the field with the header's length.
    static var lengthOffset: Int { Layout.lengthAndFlags.offset }

    /// Returns the size in a header's length field; nil if it is under 20 bytes.
    ///
    /// - Precondition: There are 14 bytes.
    @inline(__always)
    static func declaredSize(in bytes: RawSpan, at offset: Int) -> Int? {
        let size = Int(bytes.load(Layout.lengthAndFlags, at: offset) >> 12) &* 4
        return size < minimumSize ? nil : size
    }

    /// Appends the bytes of the header as it is, its checksum included.
    public func emit(to buffer: inout ByteBuffer) {
        buffer.append(upTo: size) { emit(into: $0) }
    }

    /// Writes the bytes of the header as it is to the start of a buffer, and returns their number.
    ///
    /// - Precondition: The buffer has as many bytes as `size` says.
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

    /// Computes and sets the checksum.
    ///
    /// Complexity: O(n) in the payload's length.
    public mutating func setChecksum(from source: IPAddress, to destination: IPAddress, payload: RawSpan) {
        var sum = Checksum()
        sum.add(payload)
        setChecksum(from: source, to: destination, payload: sum, count: payload.byteCount)
    }

    /// Computes and sets the checksum, for a payload whose sum and length in bytes are known.
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

    /// Returns whether the checksum is correct.
    public func hasValidChecksum(from source: IPAddress, to destination: IPAddress, payload: RawSpan) -> Bool {
        var sum = sum(from: source, to: destination, count: payload.byteCount)
        sum.add(payload)
        return sum.isValid
    }

    /// Returns the sum of the pseudo-header and the header, for a payload of `count` bytes.
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
