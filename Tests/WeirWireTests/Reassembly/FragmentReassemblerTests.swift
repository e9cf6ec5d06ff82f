import Testing
import WeirWire

/// A UDP datagram of 32 bytes, from port 1000 to port 2000.
private let datagram = hex("03e807d000200000") + Array(0..<24)

private let addresses = AddressPair(source: .loopbackV4, destination: .anyV4)

/// Takes fragments in turn, and gives the last datagram that they made.
private struct Fragments: ~Copyable {
    var reassembler = FragmentReassembler()

    init(limits: FragmentReassembler.Limits = .init()) {
        reassembler = FragmentReassembler(limits: limits)
    }

    mutating func insert(
        _ bytes: some Sequence<UInt8>,
        at offset: Int,
        hasMore: Bool = true,
        id: UInt32 = 1,
        protocol number: IPProtocol = .udp
    ) -> [UInt8]? {
        let copy = Array(bytes)
        let fragment = PacketFragment(
            key: FragmentKey(addresses: addresses, identification: id),
            protocol: number,
            offset: offset,
            hasMore: hasMore,
            range: 0..<copy.count,
            length: copy.count
        )
        var buffer = ByteBuffer()
        buffer.append("before")
        guard let whole = reassembler.insert(fragment, of: copy.span.bytes, into: &buffer) else {
            #expect(buffer.count == 6)
            return nil
        }
        #expect(whole.range == 6..<buffer.count)
        return buffer.withUnsafeBytes { Array($0[whole.range]) }
    }
}

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
            let part = datagram[(index * 8)..<(index == 2 ? 32 : index * 8 + 8)]
            whole = fragments.insert(part, at: index * 8, hasMore: index < 2)
        }
        #expect(whole == datagram)
        #expect(fragments.reassembler.waitingBytes == 0 && fragments.reassembler.waitingDatagrams == 0)
        let counters = fragments.reassembler.counters
        #expect(counters.fragments == 3 && counters.datagrams == 1 && counters.overlapping == 0)
        #expect(counters.overlong == 0 && counters.evicted == 0)
    }

    @Test("Keeps datagrams with other addresses, numbers, protocols or VLANs apart")
    func keys() {
        var reassembler = FragmentReassembler()
        var buffer = ByteBuffer()
        let keys = [
            FragmentKey(addresses: addresses, identification: 1, protocol: .udp),
            FragmentKey(addresses: addresses, identification: 2, protocol: .udp),
            FragmentKey(addresses: addresses, identification: 1, protocol: .tcp),
            FragmentKey(addresses: addresses, identification: 1, protocol: .udp, vlan: 1),
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
            let isWhole = reassembler.insert(fragment, of: datagram.span.bytes, into: &buffer) != nil
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
                (0, Array(datagram[..<16]), true), (8, filled("x", 16), true), (24, Array(datagram[24...]), false),
            ],
            whole: datagram[..<16] + filled("x", 8) + datagram[24...],
            conflicts: true
        ),
        Overlap(
            testDescription: "even where it comes later",
            fragments: [
                (8, filled("x", 16), true), (0, Array(datagram[..<16]), true), (24, Array(datagram[24...]), false),
            ],
            whole: datagram[..<16] + filled("x", 8) + datagram[24...],
            conflicts: true
        ),
        Overlap(
            testDescription: "of two that begin together the one that comes first",
            fragments: [
                (16, Array(datagram[16..<24]), true), (16, filled("y", 8), true), (0, Array(datagram[..<16]), true),
                (24, Array(datagram[24...]), false),
            ],
            whole: datagram,
            conflicts: true
        ),
        Overlap(
            testDescription: "the longer one beyond the shorter",
            fragments: [
                (16, Array(datagram[16..<24]), true), (16, filled("y", 16), false), (0, Array(datagram[..<16]), true),
            ],
            whole: datagram[..<24] + filled("y", 8),
            conflicts: true
        ),
        Overlap(
            testDescription: "the same bytes twice",
            fragments: [(0, Array(datagram[..<16]), true), (8, Array(datagram[8...]), false)],
            whole: datagram
        ),
        Overlap(
            testDescription: "bytes behind the end are cut",
            fragments: [(0, datagram + filled("q", 8), true), (16, filled("w", 8), false)],
            whole: Array(datagram[..<24]),
            conflicts: true,
            isOverlong: true
        ),
        Overlap(
            testDescription: "a fragment behind the end",
            fragments: [(16, filled("w", 16), false), (40, filled("e", 8), true), (0, Array(datagram[..<16]), true)],
            whole: datagram[..<16] + filled("w", 16),
            overlaps: false,
            isOverlong: true
        ),
        Overlap(
            testDescription: "the first of two ends counts",
            fragments: [(16, filled("w", 8), false), (16, filled("e", 16), false), (0, Array(datagram[..<16]), true)],
            whole: datagram[..<16] + filled("w", 8),
            conflicts: true,
            isOverlong: true
        ),
        Overlap(
            testDescription: "pieces that are no multiple of 8",
            fragments: [(0, Array(datagram[..<13]), true), (8, Array(datagram[8...]), false)],
            whole: datagram
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
            #expect(fragments.insert(datagram[..<16], at: 0) == nil)
            #expect(fragments.insert(datagram[16...], at: 16, hasMore: false) == datagram)
        }
        // A copy of the last one, late, is a datagram that lacks its beginning.
        #expect(fragments.insert(datagram[16...], at: 16, hasMore: false) == nil)
        #expect(fragments.insert(datagram[..<16], at: 0) == datagram)
    }

    @Test("Takes no fragment that was not captured whole, or is empty")
    func partial() {
        var reassembler = FragmentReassembler()
        var buffer = ByteBuffer()
        let key = FragmentKey(addresses: addresses, identification: 1)
        for (range, length) in [(0..<8, 9), (0..<0, 0), (30..<40, 10)] {
            let fragment = PacketFragment(
                key: key,
                protocol: .udp,
                offset: 0,
                hasMore: true,
                range: range,
                length: length
            )
            _ = reassembler.insert(fragment, of: datagram.span.bytes, into: &buffer)
        }
        #expect(reassembler.waitingDatagrams == 0 && reassembler.counters.fragments == 0)
    }

    @Test("Begins with what the first fragment says that it does")
    func nextHeader() {
        var reassembler = FragmentReassembler()
        var buffer = ByteBuffer()
        let key = FragmentKey(addresses: addresses, identification: 1)
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
            whole = reassembler.insert(fragment, of: datagram.span.bytes, into: &buffer)
        }
        #expect(whole?.protocol == .udp)
    }
}

@Suite("Limits of the fragment reassembler")
struct FragmentLimitTests {
    @Test("Gives up the oldest datagrams when there are too many")
    func datagrams() {
        var fragments = Fragments(limits: .init(datagrams: 3, bytes: 1 << 20))
        for id in 0..<10 { #expect(fragments.insert(datagram[..<16], at: 0, id: UInt32(id)) == nil) }
        #expect(fragments.reassembler.waitingDatagrams == 3 && fragments.reassembler.counters.evicted == 7)
        #expect(fragments.insert(datagram[16...], at: 16, hasMore: false, id: 7) == datagram)
        #expect(fragments.insert(datagram[16...], at: 16, hasMore: false, id: 6) == nil)
        #expect(fragments.insert(datagram[16...], at: 16, hasMore: false, id: 9) == datagram)
    }

    @Test("Gives up the oldest datagrams when they have too many bytes, but not the one that grows")
    func bytes() {
        var fragments = Fragments(limits: .init(datagrams: 100, bytes: 1000))
        #expect(fragments.insert(datagram[..<16], at: 0, id: 0) == nil)
        for id in 1..<5 { #expect(fragments.insert([UInt8](repeating: 0, count: 104), at: 0, id: UInt32(id)) == nil) }
        #expect(fragments.reassembler.waitingBytes == 80 + 4 * 168)
        #expect(fragments.insert([UInt8](repeating: 0, count: 304), at: 16, id: 0) == nil)
        let reassembler = fragments.reassembler
        #expect(
            reassembler.waitingBytes <= 1000 && reassembler.counters.evicted == 1 && reassembler.waitingDatagrams == 4
        )
        #expect(fragments.insert([1], at: 320, hasMore: false, id: 0)?.count == 321)
    }

    @Test("Refuses what is larger than all the room, and goes on")
    func refuses() {
        var fragments = Fragments(limits: .init(datagrams: 10, bytes: 200))
        #expect(fragments.insert([UInt8](repeating: 0, count: 500), at: 0, id: 1) == nil)
        #expect(fragments.reassembler.counters.refused == 1 && fragments.reassembler.waitingBytes == 0)
        #expect(fragments.insert(datagram[..<16], at: 0, id: 2) == nil)
        #expect(fragments.insert(datagram[16...], at: 16, hasMore: false, id: 2) == datagram)
        var none = Fragments(limits: .init(datagrams: 0, bytes: 200))
        #expect(none.insert(datagram[..<16], at: 0) == nil)
        #expect(none.reassembler.counters.refused == 1)
    }

    @Test("Bounds the pieces of one datagram")
    func pieces() {
        var fragments = Fragments(limits: .init(datagrams: 10, bytes: 1 << 30))
        for _ in 0..<8192 { #expect(fragments.insert([0], at: 0) == nil) }
        #expect(fragments.insert([0], at: 0) == nil)
        #expect(fragments.reassembler.counters.refused == 1 && fragments.reassembler.counters.fragments == 8192)
    }

    @Test("Stays within its limits whatever comes, and puts whole datagrams together meanwhile")
    func random() {
        var generator = SeededGenerator(seed: 50)
        let limits = FragmentReassembler.Limits(datagrams: 20, bytes: 20_000)
        var fragments = Fragments(limits: limits)
        // One datagram waits for ever, or until it is given up.
        #expect(fragments.insert([1], at: 80, id: 1_000_000) == nil)
        var whole = 0
        for id in 0..<6000 {
            let bytes = generator.bytes(Int.random(in: 1...100, using: &generator) * 8)
            let cut = Int.random(in: 1...12, using: &generator) * 8
            if cut < bytes.count {
                _ = fragments.insert(bytes[..<cut], at: 0, id: UInt32(id))
                if Bool.random(using: &generator) {
                    let made = fragments.insert(bytes[cut...], at: cut, hasMore: false, id: UInt32(id))
                    #expect(made == bytes)
                    whole += 1
                }
            }
            #expect(fragments.reassembler.waitingBytes <= limits.bytes)
            #expect(fragments.reassembler.waitingDatagrams <= limits.datagrams)
        }
        let counters = fragments.reassembler.counters
        #expect(counters.datagrams == whole && whole > 1000 && counters.evicted > 1000)
        fragments.reassembler.removeAll()
        #expect(fragments.reassembler.waitingBytes == 0 && fragments.reassembler.waitingDatagrams == 0)
    }
}
