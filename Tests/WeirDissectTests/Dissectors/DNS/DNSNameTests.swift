import Testing

@testable import WeirDissect
@testable import WeirWire

@Suite("DNS name")
struct DNSNameTests {
    @Test(
        "Reads labels and pointers, up to the first byte after the name",
        arguments: [
            ("00", 0, ".", 1), ("01 61 00", 0, "a", 3), ("01 61 00 c000", 3, "a", 5),
            ("01 61 00 01 62 c000", 3, "b.a", 7),
            ("01 61 00 c000 c003", 5, "a", 7), ("ff ff 01 61 02 6263 00 ff", 2, "a.bc", 8),
            ("00 01 61 c000 ff", 1, "a", 5),
        ]
    )
    func whole(text: String, at: Int, name: String, end: Int) {
        let read = DNSName(bytes(text).span.bytes, at: at)
        #expect(read.string == name)
        #expect(read.end == end)
        #expect(!read.isBroken)
        let plain = DNSName(bytes(text).span.bytes, at: at, wantsText: false)
        #expect(plain.text.isEmpty)
        #expect(plain.end == end)
        #expect(!plain.isBroken)
    }

    @Test(
        "A name that does not end, or points forward or to itself, is broken",
        arguments: [
            ("", 0, "", 0), ("01", 0, "", 1), ("01 61", 0, "a", 2), ("02 61 00", 0, "a\u{0}", 3), ("c0", 0, "", 1),
            ("c000", 0, "", 2),
            ("c002 00", 0, "", 2), ("01 61 c000", 0, "a", 4), ("41 61 00", 0, "", 3), ("81 61 00", 0, "", 3),
            ("01 61 c001 00", 0, "a", 4), ("01 61 c0ff 00", 0, "a", 4),
        ]
    )
    func broken(text: String, at: Int, name: String, end: Int) {
        let read = DNSName(bytes(text).span.bytes, at: at)
        #expect(read.string == name)
        #expect(read.end == end)
        #expect(read.isBroken)
    }

    @Test("A name has 255 bytes at most, without its end", arguments: [(62, false), (63, true)])
    func longest(last: Int, isBroken: Bool) {
        var name: [UInt8] = []
        for _ in 0..<3 { name += [63] + [UInt8](repeating: 97, count: 63) }
        // 192 bytes, and 63 or 64 more.
        name += [UInt8(last)] + [UInt8](repeating: 98, count: last) + [0]
        let read = DNSName(name.span.bytes, at: 0)
        #expect(read.isBroken == isBroken)
        #expect(read.text.count == (isBroken ? 191 : 254))
        #expect(read.end == name.count)
    }
}
