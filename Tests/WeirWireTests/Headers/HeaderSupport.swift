import Testing
import WeirWire

/// Gives the bytes of hex digits; blanks and line feeds between them do not count.
func hex(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// Gives what a closure appends to an empty buffer of the least size.
func emitted(_ body: (inout ByteBuffer) -> Void) -> [UInt8] {
    var buffer = ByteBuffer(capacity: 0)
    body(&buffer)
    return buffer.withUnsafeBytes { Array($0) }
}

/// Is what each header can do, so that one test checks it for all of them.
protocol WireHeader: Equatable {
    init(parsing bytes: RawSpan, at offset: Int) throws(DecodeError)
    func emit(to buffer: inout ByteBuffer)
}

extension WireHeader {
    init(_ bytes: [UInt8], at offset: Int = 0) throws(DecodeError) {
        try self.init(parsing: bytes.span.bytes, at: offset)
    }

    /// Gives the bytes that the header emits.
    var bytes: [UInt8] { emitted { emit(to: &$0) } }

    /// Gives the reason why bytes are refused.
    static func error(_ bytes: [UInt8], at offset: Int = 0) -> DecodeError? {
        do {
            _ = try Self(bytes, at: offset)
            return nil
        } catch {
            return error
        }
    }

    /// Expects that a header is parsed at any offset, and refused as truncated where it is cut or begins outside.
    static func expectTruncation(of header: [UInt8], location: SourceLocation = #_sourceLocation) {
        #expect(error(header) == nil, sourceLocation: location)
        #expect(error([1, 2, 3] + header, at: 3) == nil, sourceLocation: location)
        for count in header.indices {
            guard case .truncated(let needed, count, at: 0) = error(Array(header.prefix(count))), needed > count else {
                Issue.record("the first \(count) bytes are not refused as truncated", sourceLocation: location)
                return
            }
        }
        for offset in [-1, Int.min, Int.max, header.count + 1] {
            guard case .truncated(_, 0, at: offset) = error(header, at: offset) else {
                Issue.record("the offset \(offset) is not refused", sourceLocation: location)
                return
            }
        }
    }
}

extension EthernetHeader: WireHeader {}
extension IPv4Header: WireHeader {}
extension IPv6Header: WireHeader {}
extension TCPHeader: WireHeader {}
extension UDPHeader: WireHeader {}

extension Checksum {
    static func of(_ bytes: [UInt8]) -> UInt16 { of(bytes.span.bytes) }
}

extension OptionBytes {
    /// Makes whole words of random bytes, none included.
    static func random(using generator: inout SeededGenerator) -> OptionBytes {
        var options = OptionBytes()
        for _ in 0..<(4 * Int.random(in: 0...10, using: &generator)) {
            options.append(UInt8.random(in: 0 ... .max, using: &generator))
        }
        return options
    }
}
