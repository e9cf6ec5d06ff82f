import Support
import Testing
import WeirWire

/// Gives the bytes of hex digits; blanks and line feeds between them do not count.
func hex(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// What each header can do, so that one test checks it for all of them.
protocol WireHeader: Equatable {
    init(parsing bytes: RawSpan, at offset: Int) throws(DecodeError)
    func emit(to buffer: inout ByteBuffer)
}

extension WireHeader {
    init(_ bytes: [UInt8], at offset: Int = 0) throws(DecodeError) {
        try self.init(parsing: bytes.span.bytes, at: offset)
    }

    /// Gives the bytes that the header emits.
    var bytes: [UInt8] { written { emit(to: &$0) } }

    /// Parses a header that real bytes are of, and expects it to emit them again and to be refused where they are cut.
    static func read(_ bytes: [UInt8], location: SourceLocation = #_sourceLocation) throws -> Self {
        let header = try Self(bytes)
        #expect(header.bytes == bytes, sourceLocation: location)
        expectTruncation(of: bytes, location: location)
        return header
    }

    /// Expects that random headers are parsed from what they emit, at any offset.
    static func expectRoundTrips(
        seed: UInt64,
        location: SourceLocation = #_sourceLocation,
        make: (inout SeededGenerator) throws -> Self
    ) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            let header = try make(&generator)
            let bytes = header.bytes
            #expect(try Self(bytes) == header, sourceLocation: location)
            #expect(try Self([0xff, 0x00, 0xff] + bytes + [0xff], at: 3) == header, sourceLocation: location)
        }
    }

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
extension VLANTag: WireHeader {}
extension BackboneTag: WireHeader {}
extension VNTag: WireHeader {}
extension FabricPathTag: WireHeader {}
extension WCCPHeader: WireHeader {}
extension MACsecTag: WireHeader {}
extension LLCHeader: WireHeader {}
extension SNAPHeader: WireHeader {}
extension LoopbackHeader: WireHeader {}
extension LinuxCookedHeader: WireHeader {}
extension LinuxCooked2Header: WireHeader {}
extension PPPoEHeader: WireHeader {}
extension PPPHeader: WireHeader {}
extension MPLSLabel: WireHeader {}
extension ARPHeader: WireHeader {}
extension IPv4Header: WireHeader {}
extension IPv6Header: WireHeader {}
extension IPv6FragmentHeader: WireHeader {}
extension TCPHeader: WireHeader {}
extension UDPHeader: WireHeader {}
extension ICMPv4Header: WireHeader {}
extension ICMPv6Header: WireHeader {}
extension GREHeader: WireHeader {}
extension ERSPANHeader: WireHeader {}
extension PIMHeader: WireHeader {}
extension VXLANHeader: WireHeader {}
extension GeneveHeader: WireHeader {}
extension GTPHeader: WireHeader {}
extension NSHHeader: WireHeader {}

extension Checksum {
    static func of(_ bytes: [UInt8]) -> UInt16 { of(bytes.span.bytes) }
}

extension SeededGenerator {
    mutating func byte() -> UInt8 { UInt8(truncatingIfNeeded: next()) }
    mutating func half() -> UInt16 { UInt16(truncatingIfNeeded: next()) }
    mutating func word() -> UInt32 { UInt32(truncatingIfNeeded: next()) }
    mutating func type() -> EtherType { EtherType(rawValue: half()) }
    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in byte() } }
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
