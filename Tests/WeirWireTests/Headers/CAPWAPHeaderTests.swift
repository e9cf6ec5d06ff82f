import Testing
import WeirWire

@Suite("CAPWAP headers")
struct CAPWAPHeaderTests {
    private func read(_ header: String, more count: Int = 200) -> Result<CAPWAPHeader, DecodeError> {
        let bytes = [9, 9, 9] + hex(header) + [UInt8](repeating: 0, count: count)
        return Result { () throws(DecodeError) in try CAPWAPHeader(parsing: bytes.span.bytes, at: 3) }
    }

    @Test(
        "Say how long they are and what they carry",
        arguments: [
            ("00100000 00000000", 8, .ethernet), ("00180000 00000000", 12, .ethernet),
            ("00f80000 00000000", 124, .ethernet), ("00100300 00000000", 8, .wireless),
            ("00100100 00000000", 8, .other), ("00100500 00000000", 8, .other), ("00100200 00000000", 8, .ethernet),
            ("00100080 00000000", 8, .other), ("00100008 00000000", 8, .other), ("00100388 00000000", 8, .other),
            ("00100077 00000000", 8, .ethernet), ("01", 1, .other), ("ff", 1, .other),
        ] as [(String, Int, CAPWAPHeader.Payload)]
    )
    func kinds(header: String, size: Int, payload: CAPWAPHeader.Payload) {
        #expect((try? read(header).get())?.size == size)
        #expect((try? read(header).get())?.payload == payload)
    }

    @Test("Are refused if they are cut, or shorter than they can be")
    func refused() {
        #expect(read("00080000 00000000") == .failure(.malformed(.capwapLength, at: 4)))
        #expect(read("00180000 00000000", more: 3) == .failure(.truncated(needed: 12, available: 11, at: 3)))
        #expect((try? read("00180000 00000000", more: 4).get()) != nil)
        #expect(read("00100000 000000", more: 0) == .failure(.truncated(needed: 8, available: 7, at: 3)))
        #expect(read("", more: 0) == .failure(.truncated(needed: 1, available: 0, at: 3)))
        #expect((try? read("01", more: 0).get()) != nil)
    }
}

@Suite("Headers of IEEE 802.11")
struct WirelessHeaderTests {
    private func read(_ flags: UInt8, _ kind: UInt8, quality: (place: Int, value: UInt8)? = nil, count: Int = 60)
        -> Result<WirelessHeader, DecodeError>
    {
        var bytes: [UInt8] = [9, flags, kind] + [UInt8](repeating: 0, count: 60)
        if let quality { bytes[1 + quality.place] = quality.value }
        bytes = Array(bytes.prefix(1 + count))
        return Result { () throws(DecodeError) in try WirelessHeader(parsing: bytes.span.bytes, at: 1) }
    }

    @Test(
        "Say how long they are, and whether a packet follows",
        arguments: [
            (0x01, 0x08, 24, true), (0x02, 0x08, 24, true), (0x00, 0x08, 24, true), (0x03, 0x08, 30, true),
            (0x01, 0x88, 26, true), (0x03, 0x88, 32, true), (0x81, 0x88, 30, true), (0x83, 0x88, 36, true),
            (0x81, 0x08, 24, true), (0x01, 0x48, 24, false), (0x41, 0x08, 24, false), (0x01, 0xc8, 26, false),
            (0x01, 0x00, 2, false), (0x01, 0x04, 2, false), (0x01, 0x18, 24, true), (0x01, 0x80, 2, false),
        ] as [(UInt8, UInt8, Int, Bool)]
    )
    func kinds(flags: UInt8, kind: UInt8, size: Int, carriesPacket: Bool) {
        let header = try? read(flags, kind).get()
        #expect(header?.size == size && header?.carriesPacket == carriesPacket)
        #expect((try? read(flags, kind, count: size).get()) != nil)
        let cut = read(flags, kind, count: size - 1)
        #expect(cut == .failure(.truncated(needed: size, available: size - 1, at: 1)))
    }

    @Test("Of an aggregate no packet follows")
    func aggregates() {
        for (flags, place) in [(0x01, 24), (0x03, 30)] as [(UInt8, Int)] {
            for (value, carriesPacket) in [(0x80, false), (0x7f, true)] as [(UInt8, Bool)] {
                let header = try? read(flags, 0x88, quality: (place, value)).get()
                #expect(header?.carriesPacket == carriesPacket)
            }
            #expect((try? read(flags, 0x08, quality: (place, 0x80)).get())?.carriesPacket == true)
        }
    }
}

@Suite("Headers of Netfilter's log")
struct NFLOGHeaderTests {
    private func read(_ text: String, end: Int? = nil) -> Result<NFLOGHeader, DecodeError> {
        let bytes = [9, 9] + hex(text)
        return Result { () throws(DecodeError) in
            try NFLOGHeader(parsing: bytes.span.bytes, at: 2, end: 2 + (end ?? bytes.count - 2))
        }
    }

    @Test(
        "End where the packet begins, behind values of any length and in either order",
        arguments: [
            ("0a000000 0800 0100 00000000 0800 0900 aabbccdd", 16, 4),
            ("02000000 0008 0001 00000000 0008 0009 aabbccdd", 16, 4),
            ("02000000 0500 0100 ff000000 0600 0900 aabb", 16, 2),
            ("02000000 0700 0100 ff000000 0600 0900 aabb", 16, 2),
            ("02000000 0800 0900 aabbccdd 0800 0100 00000000", 8, 4), ("02000000 0400 0900", 8, 0),
            ("02000000 0800 0100 00000000", 12, 0), ("02000000", 4, 0),
        ]
    )
    func places(text: String, size: Int, length: Int) {
        let header = try? read(text).get()
        #expect(header?.size == size && header?.length == length)
        #expect(header?.family == hex(text).first)
    }

    @Test("Are refused if a length is wrong, or if they are cut")
    func refused() {
        #expect(read("02000000 0300 0900") == .failure(.malformed(.nflogLength, at: 6)))
        #expect(read("02000000 0900 0900 aabbccdd") == .failure(.malformed(.nflogLength, at: 6)))
        #expect(read("02000000 0800 0100 00000000 0300") == .failure(.malformed(.nflogLength, at: 6)))
        #expect(read("020000") == .failure(.truncated(needed: 4, available: 3, at: 2)))
        #expect(read("02000000 0800 01", end: 12) == .failure(.truncated(needed: 4, available: 3, at: 6)))
    }
}

@Suite("Short link headers")
struct ShortLinkHeaderTests {
    @Test("Cisco's HDLC has an address and a type")
    func hdlc() throws {
        let header = try CiscoHDLCHeader(parsing: hex("ff 0f 00 0800 ff").span.bytes, at: 1)
        #expect(header.address == 0x0f && header.type == .ipv4)
        #expect(throws: DecodeError.truncated(needed: 4, available: 3, at: 1)) {
            try CiscoHDLCHeader(parsing: hex("ff 0f 00 08").span.bytes, at: 1)
        }
    }

    @Test("A tag of IEEE 802.1BR has a channel of 14 bits and a type")
    func tag() throws {
        let header = try ETag(parsing: hex("ff 0102 f123 0304 86dd ff").span.bytes, at: 1)
        #expect(header.channel == 0x3123 && header.type == .ipv6)
        #expect(throws: DecodeError.truncated(needed: 8, available: 7, at: 1)) {
            try ETag(parsing: hex("ff 0102 f123 0304 86").span.bytes, at: 1)
        }
    }
}
