import Support
import Testing
import WeirWire

@Suite("Limits of the fragment reassembler")
struct FragmentLimitTests {
    @Test("Gives up the oldest datagrams when there are too many")
    func datagrams() {
        var fragments = Fragments(limits: .init(datagrams: 3, bytes: 1 << 20))
        for id in 0..<10 { #expect(fragments.insert(fragmentedDatagram[..<16], at: 0, id: UInt32(id)) == nil) }
        #expect(fragments.reassembler.waitingDatagrams == 3 && fragments.reassembler.counters.evicted == 7)
        #expect(fragments.insert(fragmentedDatagram[16...], at: 16, hasMore: false, id: 7) == fragmentedDatagram)
        #expect(fragments.insert(fragmentedDatagram[16...], at: 16, hasMore: false, id: 6) == nil)
        #expect(fragments.insert(fragmentedDatagram[16...], at: 16, hasMore: false, id: 9) == fragmentedDatagram)
    }

    @Test("Gives up the oldest datagrams when they have too many bytes, but not the one that grows")
    func bytes() {
        var fragments = Fragments(limits: .init(datagrams: 100, bytes: 1000))
        #expect(fragments.insert(fragmentedDatagram[..<16], at: 0, id: 0) == nil)
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
        #expect(fragments.insert(fragmentedDatagram[..<16], at: 0, id: 2) == nil)
        #expect(fragments.insert(fragmentedDatagram[16...], at: 16, hasMore: false, id: 2) == fragmentedDatagram)
        var none = Fragments(limits: .init(datagrams: 0, bytes: 200))
        #expect(none.insert(fragmentedDatagram[..<16], at: 0) == nil)
        #expect(none.reassembler.counters.refused == 1)
    }

    @Test("Keeps 1,024 datagrams and 8 MiB unless it is told otherwise")
    func defaults() {
        #expect(FragmentReassembler.Limits() == FragmentReassembler.Limits(datagrams: 1024, bytes: 8_388_608))
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
