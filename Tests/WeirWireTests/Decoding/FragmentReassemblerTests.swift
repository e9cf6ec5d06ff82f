import Testing
import WeirWire

@Suite("Fragment reassembler")
struct FragmentReassemblerTests {
    @Test(
        "Puts fragments together, in whichever order they come",
        arguments: [[0, 1, 2], [2, 1, 0], [1, 2, 0], [1, 0, 2]]
    )
    func order(order: [Int]) {
        var fragments = Fragments()
        var whole: [UInt8]?
        for index in order {
            #expect(whole == nil)
            let part = fragmentedDatagram[(index * 8)..<(index == 2 ? 32 : index * 8 + 8)]
            whole = fragments.insert(part, at: index * 8, hasMore: index < 2)
        }
        #expect(whole == fragmentedDatagram)
        #expect(fragments.reassembler.waitingBytes == 0 && fragments.reassembler.waitingDatagrams == 0)
        let counters = fragments.reassembler.counters
        #expect(counters.fragments == 3 && counters.datagrams == 1 && counters.overlapping == 0)
        #expect(counters.overlong == 0 && counters.evicted == 0)
    }

    @Test("Keeps datagrams with other addresses, numbers, protocols or VLANs apart")
    func keys() {
        var reassembler = FragmentReassembler()
        var buffer = ByteBuffer()
        let bytes = fragmentedDatagram
        let keys = [
            FragmentKey(addresses: fragmentAddresses, identification: 1, protocol: .udp),
            FragmentKey(addresses: fragmentAddresses, identification: 2, protocol: .udp),
            FragmentKey(addresses: fragmentAddresses, identification: 1, protocol: .tcp),
            FragmentKey(addresses: fragmentAddresses, identification: 1, protocol: .udp, vlan: 1),
            FragmentKey(
                addresses: AddressPair(source: .anyV4, destination: .loopbackV4),
                identification: 1,
                protocol: .udp
            ),
        ]
        for (index, key) in keys.enumerated() {
            let fragment = PacketFragment(
                key: key,
                protocol: .udp,
                offset: index == 0 ? 0 : 8,
                hasMore: index == 0,
                range: 0..<8,
                length: 8
            )
            let isWhole = reassembler.insert(fragment, of: bytes.span.bytes, into: &buffer) != nil
            #expect(!isWhole)
        }
        #expect(reassembler.waitingDatagrams == 5)
    }

    /// What tshark 4.0 makes of overlapping fragments: bytes, then its marks overlap, conflict and too long.
    struct Overlap: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var fragments: [(offset: Int, bytes: [UInt8], hasMore: Bool)]
        var whole: [UInt8]
        var overlaps = true
        var conflicts = false
        var isOverlong = false
    }

    private static let overlaps = [
        Overlap(
            testDescription: "the one that begins first wins",
            fragments: [
                (0, Array(fragmentedDatagram[..<16]), true), (8, filled("x", 16), true),
                (24, Array(fragmentedDatagram[24...]), false),
            ],
            whole: fragmentedDatagram[..<16] + filled("x", 8) + fragmentedDatagram[24...],
            conflicts: true
        ),
        Overlap(
            testDescription: "even where it comes later",
            fragments: [
                (8, filled("x", 16), true), (0, Array(fragmentedDatagram[..<16]), true),
                (24, Array(fragmentedDatagram[24...]), false),
            ],
            whole: fragmentedDatagram[..<16] + filled("x", 8) + fragmentedDatagram[24...],
            conflicts: true
        ),
        Overlap(
            testDescription: "of two that begin together the one that comes first",
            fragments: [
                (16, Array(fragmentedDatagram[16..<24]), true), (16, filled("y", 8), true),
                (0, Array(fragmentedDatagram[..<16]), true),
                (24, Array(fragmentedDatagram[24...]), false),
            ],
            whole: fragmentedDatagram,
            conflicts: true
        ),
        Overlap(
            testDescription: "the longer one beyond the shorter",
            fragments: [
                (16, Array(fragmentedDatagram[16..<24]), true), (16, filled("y", 16), false),
                (0, Array(fragmentedDatagram[..<16]), true),
            ],
            whole: fragmentedDatagram[..<24] + filled("y", 8),
            conflicts: true
        ),
        Overlap(
            testDescription: "the same bytes twice",
            fragments: [(0, Array(fragmentedDatagram[..<16]), true), (8, Array(fragmentedDatagram[8...]), false)],
            whole: fragmentedDatagram
        ),
        Overlap(
            testDescription: "bytes behind the end are cut",
            fragments: [(0, fragmentedDatagram + filled("q", 8), true), (16, filled("w", 8), false)],
            whole: Array(fragmentedDatagram[..<24]),
            conflicts: true,
            isOverlong: true
        ),
        Overlap(
            testDescription: "a fragment behind the end",
            fragments: [
                (16, filled("w", 16), false), (40, filled("e", 8), true), (0, Array(fragmentedDatagram[..<16]), true),
            ],
            whole: fragmentedDatagram[..<16] + filled("w", 16),
            overlaps: false,
            isOverlong: true
        ),
        Overlap(
            testDescription: "the first of two ends counts",
            fragments: [
                (16, filled("w", 8), false), (16, filled("e", 16), false), (0, Array(fragmentedDatagram[..<16]), true),
            ],
            whole: fragmentedDatagram[..<16] + filled("w", 8),
            conflicts: true,
            isOverlong: true
        ),
        Overlap(
            testDescription: "pieces that are no multiple of 8",
            fragments: [(0, Array(fragmentedDatagram[..<13]), true), (8, Array(fragmentedDatagram[8...]), false)],
            whole: fragmentedDatagram
        ),
    ]

    private static func filled(_ character: Character, _ count: Int) -> [UInt8] {
        Array(repeating: character.asciiValue ?? 0, count: count)
    }

    @Test("Overlapping fragments give what they give in tshark", arguments: overlaps)
    func overlap(expected: Overlap) {
        var fragments = Fragments()
        var whole: [UInt8]?
        for (offset, bytes, hasMore) in expected.fragments {
            whole = fragments.insert(bytes, at: offset, hasMore: hasMore)
        }
        #expect(whole == expected.whole)
        let counters = fragments.reassembler.counters
        #expect(counters.overlapping == (expected.overlaps ? 1 : 0))
        #expect(counters.conflicting == (expected.conflicts ? 1 : 0))
        #expect(counters.overlong == (expected.isOverlong ? 1 : 0))
    }

    @Test("A number that is used again begins a new datagram")
    func again() {
        var fragments = Fragments()
        for _ in 0..<3 {
            #expect(fragments.insert(fragmentedDatagram[..<16], at: 0) == nil)
            #expect(fragments.insert(fragmentedDatagram[16...], at: 16, hasMore: false) == fragmentedDatagram)
        }
        // A copy of the last one, late, is a datagram that lacks its beginning.
        #expect(fragments.insert(fragmentedDatagram[16...], at: 16, hasMore: false) == nil)
        #expect(fragments.insert(fragmentedDatagram[..<16], at: 0) == fragmentedDatagram)
    }

    @Test("Takes no fragment that was not captured whole, or is empty")
    func partial() {
        var reassembler = FragmentReassembler()
        var buffer = ByteBuffer()
        let bytes = fragmentedDatagram
        let key = FragmentKey(addresses: fragmentAddresses, identification: 1)
        for (range, length) in [(0..<8, 9), (0..<0, 0), (30..<40, 10)] {
            let fragment = PacketFragment(
                key: key,
                protocol: .udp,
                offset: 0,
                hasMore: true,
                range: range,
                length: length
            )
            _ = reassembler.insert(fragment, of: bytes.span.bytes, into: &buffer)
        }
        #expect(reassembler.waitingDatagrams == 0 && reassembler.counters.fragments == 0)
    }

    @Test("Begins with what the first fragment says that it does")
    func nextHeader() {
        var reassembler = FragmentReassembler()
        var buffer = ByteBuffer()
        let bytes = fragmentedDatagram
        let key = FragmentKey(addresses: fragmentAddresses, identification: 1)
        var whole: ReassembledDatagram?
        for (offset, number) in [(16, IPProtocol.tcp), (0, .udp)] {
            let fragment = PacketFragment(
                key: key,
                protocol: number,
                offset: offset,
                hasMore: offset == 0,
                range: 0..<16,
                length: 16
            )
            whole = reassembler.insert(fragment, of: bytes.span.bytes, into: &buffer)
        }
        #expect(whole?.protocol == .udp)
    }
}
