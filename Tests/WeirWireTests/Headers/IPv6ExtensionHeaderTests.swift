import Testing
import WeirWire

@Suite("IPv6 extension header")
struct IPv6ExtensionHeaderTests {
    private func parse(_ bytes: [UInt8], at offset: Int = 0, as number: IPProtocol = .hopByHopOptions) throws
        -> IPv6ExtensionHeader
    {
        try IPv6ExtensionHeader(parsing: bytes.span.bytes, at: offset, as: number)
    }

    @Test("Parses what follows and the size", arguments: [0, 1, 2, 255])
    func size(length: Int) throws {
        let bytes = [58, UInt8(length)] + [UInt8](repeating: 0, count: length * 8 + 6)
        let header = try parse(bytes)
        #expect(header.nextHeader == .icmpv6 && header.size == bytes.count)
        #expect(throws: DecodeError.truncated(needed: bytes.count, available: bytes.count - 1, at: 0)) {
            try parse(bytes.dropLast())
        }
    }

    @Test("Counts authentication in words of 4 bytes")
    func authentication() throws {
        let bytes = [6, 4] + [UInt8](repeating: 0, count: 22)
        #expect(try parse(bytes, as: .authentication).size == 24)
    }

    @Test("Refuses what is cut within the first 8 bytes, and offsets outside", arguments: 0..<8)
    func short(count: Int) {
        #expect(throws: DecodeError.truncated(needed: 8, available: count, at: 0)) {
            try parse([UInt8](repeating: 0, count: count))
        }
        #expect(throws: DecodeError.truncated(needed: 8, available: 0, at: Int.max)) { try parse([], at: .max) }
    }

    @Test("Emits its content, cut or padded to the size")
    func emits() throws {
        for size in [0, 1, 8, 9, 16, 40, 2048, 5000] {
            let header = IPv6ExtensionHeader(nextHeader: .udp, size: size)
            let content = [UInt8](repeating: 1, count: 20)
            let bytes = written { header.emit(content: content.span.bytes, to: &$0) }
            #expect(bytes.count == header.size && header.size % 8 == 0)
            #expect(try parse(bytes) == header)
            #expect(bytes.dropFirst(2).prefix(20).allSatisfy { $0 == 1 })
            #expect(bytes.dropFirst(22).allSatisfy { $0 == 0 })
        }
    }

    @Test("Knows its kinds")
    func kinds() {
        let numbers = (0...255).filter { IPv6ExtensionHeader.reads(IPProtocol(rawValue: UInt8($0))) }
        #expect(numbers == [0, 43, 51, 60, 135, 139, 140])
    }
}

@Suite("IPv6 routing header")
struct IPv6RoutingHeaderTests {
    private func destination(_ bytes: [UInt8], at offset: Int = 0) throws -> String? {
        let header = try IPv6RoutingHeader(parsing: bytes.span.bytes, at: offset)
        let last = header.finalDestination(in: bytes.span.bytes, at: offset)
        return last?.description
    }

    private static let twoStops = hex(
        """
        06 04 00 02 00000000 20010078000100320000000000000001 20010078000100320000000000000002
        """
    )

    @Test("Gives the last of the addresses of types 0 and 2, and the first of type 4")
    func last() throws {
        var bytes = Self.twoStops
        #expect(try destination(bytes) == "2001:78:1:32::2")
        #expect(try destination([1, 2, 3, 4, 5] + bytes, at: 5) == "2001:78:1:32::2")
        bytes[2] = 2
        #expect(try destination(bytes) == "2001:78:1:32::2")
        bytes[2] = 4
        #expect(try destination(bytes) == "2001:78:1:32::1")
        bytes[2] = 3
        #expect(try destination(bytes) == nil)
    }

    @Test("Gives none where no stop is left, or the list has no room for one")
    func none() throws {
        var bytes = Self.twoStops
        bytes[3] = 0
        #expect(try destination(bytes) == nil)
        #expect(try destination(hex("06 00 00 05 00000000")) == nil)
        #expect(try destination(hex("06 01 00 05 00000000 0000000000000000")) == nil)
    }

    @Test("Is refused where it is cut", arguments: [0, 7, 8, 39])
    func short(count: Int) {
        #expect(throws: DecodeError.truncated(needed: count < 8 ? 8 : 40, available: count, at: 0)) {
            try destination(Array(Self.twoStops.prefix(count)))
        }
    }
}
