import Support
import Testing
import WeirWire

@Suite("Checksum")
struct ChecksumTests {
    /// The definition of RFC 1071 section 1, a pair at a time.
    private func plain(_ bytes: [UInt8]) -> UInt16 {
        var sum: UInt32 = 0
        for start in stride(from: 0, to: bytes.count, by: 2) {
            sum += UInt32(bytes[start]) << 8 | (start + 1 < bytes.count ? UInt32(bytes[start + 1]) : 0)
            sum = (sum & 0xffff) + (sum >> 16)
        }
        return ~UInt16(sum)
    }

    @Test("Sums the example of RFC 1071 section 3")
    func example() {
        let bytes = hex("0001 f203 f4f5 f6f7")
        #expect(Checksum.of(bytes) == ~0xddf2)
    }

    @Test("Gives 0xffff for no bytes and for zeros, and 0 for ones")
    func extremes() {
        #expect(Checksum().value == 0xffff)
        #expect(Checksum.of([UInt8](repeating: 0, count: 99)) == 0xffff)
        #expect(Checksum.of([UInt8](repeating: 0xff, count: 1_000_000)) == 0)
    }

    @Test("Equals the definition at every length up to 300 and at every alignment")
    func lengths() {
        var generator = SeededGenerator(seed: 1)
        let bytes = (0..<308).map { _ in UInt8.random(in: 0 ... .max, using: &generator) }
        for start in 0..<8 {
            for count in 0...300 {
                let part = bytes.span.bytes.extracting(start..<(start + count))
                let sum = Checksum.of(part)
                #expect(sum == plain(Array(bytes[start..<(start + count)])))
            }
        }
    }

    @Test("Sums spans of any lengths as if they were joined, odd ones included")
    func spans() {
        var generator = SeededGenerator(seed: 2)
        for _ in 0..<500 {
            var joined: [UInt8] = []
            var checksum = Checksum()
            var joinedSums = Checksum()
            for _ in 0..<Int.random(in: 0...6, using: &generator) {
                let high = Bool.random(using: &generator)
                let part = (0..<Int.random(in: 0...40, using: &generator)).map { _ in
                    high ? 0xff : UInt8.random(in: 0 ... .max, using: &generator)
                }
                checksum.add(part.span.bytes)
                var sum = Checksum()
                sum.add(part.span.bytes)
                joinedSums.add(sum)
                joined += part
            }
            #expect(checksum.value == plain(joined))
            #expect(joinedSums.value == plain(joined))
        }
    }

    @Test("Takes numbers as their bytes in network order, in the middle of a pair too")
    func numbers() {
        for lead in [[], [0xab] as [UInt8]] {
            var checksum = Checksum()
            checksum.add(lead.span.bytes)
            checksum.add(UInt16(0x0102))
            checksum.add(UInt32(0xf3f4_f5f6))
            checksum.add(UInt64(0x0708_090a_fbfc_fdfe))
            #expect(checksum.value == plain(lead + hex("0102 f3f4f5f6 0708090afbfcfdfe")))
        }
    }

    @Test("Sums the pseudo-headers of IPv4 and IPv6")
    func pseudoHeaders() throws {
        let (four, otherFour) = (try #require(IPAddress("192.0.2.1")), try #require(IPAddress("198.51.100.7")))
        let first = Checksum(pseudoHeaderFrom: four, to: otherFour, protocol: .udp, length: 0x1234)
        #expect(first.value == plain(hex("c0000201 c6336407 00 11 1234")))
        let (six, otherSix) = (try #require(IPAddress("2001:db8::1")), try #require(IPAddress("fe80::2%3")))
        let second = Checksum(pseudoHeaderFrom: six, to: otherSix, protocol: .tcp, length: 0x12_3456)
        let bytes = "20010db8000000000000000000000001 fe800000000000000000000000000002 00123456 00000006"
        #expect(second.value == plain(hex(bytes)))
    }

    @Test("Is valid for a real IPv4 header, and not once a bit is wrong")
    func validity() {
        var bytes = hex("45000040df8e400040066dd38d8ee405c096bb2b")
        var checksum = Checksum()
        checksum.add(bytes.span.bytes)
        #expect(checksum.isValid)
        bytes[3] ^= 1
        checksum = Checksum()
        checksum.add(bytes.span.bytes)
        #expect(!checksum.isValid)
    }
}
