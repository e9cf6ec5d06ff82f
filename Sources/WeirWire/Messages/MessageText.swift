/// A line of text that is safe for a terminal: text from the traffic is escaped and cut.
public struct MessageText: Hashable, Sendable {
    /// The text in UTF-8.
    public var utf8: [UInt8] { line }

    @usableFromInline package var line: [UInt8] = []

    /// The maximum length of the line in bytes; a longer one ends with `...`.
    package static let limit = 512

    /// Creates an empty text.
    public init() {}

    /// Appends the text to a buffer.
    public func append(to buffer: inout ByteBuffer) { buffer.append(line.span.bytes) }

    /// Creates a text from one in the traffic, escaped and cut.
    public init(escaping text: String) { append(escaped: text, upTo: Self.limit) }

    /// Whether the text is empty.
    public var isEmpty: Bool { line.isEmpty }

    /// The text as a string.
    public var string: String { String(decoding: line, as: UTF8.self) }

    package mutating func removeAll() { line.removeAll(keepingCapacity: line.count <= Self.limit) }

    /// Appends a text known at compile time.
    @inlinable
    package mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { line.append(contentsOf: $0) }
    }

    /// Appends a number in decimal.
    @inlinable
    package mutating func append(_ number: some FixedWidthInteger) {
        if number < 0 { line.append(UInt8(ascii: "-")) }
        var rest = UInt64(truncatingIfNeeded: number.magnitude)
        let start = line.count
        repeat {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            line.append(UInt8(truncatingIfNeeded: digit) &+ 48)
            rest = quotient
        } while rest > 0
        line[start...].reverse()
    }

    /// Appends a number of bytes, such as `14 bytes`.
    @inlinable
    package mutating func append(bytes count: Int) {
        append(count)
        append(count == 1 ? " byte" : " bytes")
    }

    /// Appends a text from the traffic, escaped, and cut after `limit` bytes.
    package mutating func append(escaped text: String, upTo limit: Int = 200) {
        var text = text
        text.withUTF8 { append(escaped: $0.span.bytes, upTo: limit) }
    }

    /// Appends bytes from the traffic, escaped, and cut after `limit` bytes.
    package mutating func append(escaped bytes: RawSpan, upTo limit: Int = 200) {
        let room = min(limit, Self.limit &- line.count)
        guard bytes.byteCount > 0 else { return }
        guard room > 0 else { return close() }
        var index = 0
        let end = line.count &+ room
        while index < bytes.byteCount {
            guard line.count < end else { return close() }
            let byte = bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self)
            if byte >= 0x20, byte < 0x7f {
                // Most bytes are printable: a run of them is appended at once.
                let run = bytes.printable(from: index, upTo: index &+ (end &- line.count))
                bytes.extracting(index..<run).withUnsafeBytes { line.append(contentsOf: $0) }
                index = run
            } else if byte >= 0x80, let (scalar, length) = SafeText.decode(bytes, at: index), SafeText.isSafe(scalar) {
                for place in index..<(index &+ length) {
                    line.append(bytes.unsafeLoad(fromByteOffset: place, as: UInt8.self))
                }
                index &+= length
            } else {
                appendEscape(byte)
                index &+= 1
            }
        }
    }

    private mutating func appendEscape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\r"): append("\\r")
        case UInt8(ascii: "\n"): append("\\n")
        case UInt8(ascii: "\t"): append("\\t")
        default:
            append("\\x")
            for digit in [byte >> 4, byte & 15] { line.append(digit < 10 ? digit + 48 : digit + 87) }
        }
    }

    private mutating func close() {
        if line.suffix(3) != [46, 46, 46] { append("...") }
    }
}

extension RawSpan {
    /// Finds the end of a run of printable ASCII bytes.
    fileprivate func printable(from start: Int, upTo limit: Int) -> Int {
        var index = start
        let end = Swift.min(limit, byteCount)
        while index < end {
            let byte = unsafeLoad(fromByteOffset: index, as: UInt8.self)
            guard byte >= 0x20, byte < 0x7f else { break }
            index &+= 1
        }
        return index
    }
}

extension MessageText {
    /// Appends an address.
    package mutating func append(_ address: IPAddress) {
        var buffer = ByteBuffer(capacity: IPAddress.longestText)
        address.write(to: &buffer)
        append(buffer)
    }

    private mutating func append(_ buffer: borrowing ByteBuffer) {
        buffer.withUnsafeBytes { append(escaped: $0.bytes) }
    }
}

extension MessageText {
    /// Appends a number in hex, such as `0x1301`.
    @inlinable
    package mutating func append(hex number: some FixedWidthInteger & UnsignedInteger) {
        append("0x")
        let digits = 2 * MemoryLayout.size(ofValue: number)
        for place in stride(from: digits - 1, through: 0, by: -1) {
            let digit = UInt8(truncatingIfNeeded: number >> (4 * place)) & 15
            line.append(digit < 10 ? digit + 48 : digit + 87)
        }
    }
}
