import Testing

@testable import WeirEngine

@Suite("A ring of bytes")
struct ByteRingTests {
    private func append(_ bytes: [UInt8], to ring: inout ByteRing) {
        bytes.withUnsafeBytes { ring.append($0) }
    }

    private func prefix(_ bytes: [UInt8], of ring: ByteRing, from offset: Int = 0) -> Int {
        bytes.withUnsafeBytes { ring.commonPrefix(with: $0, from: offset) }
    }

    @Test("Is empty at first, and takes nothing")
    func empty() {
        var ring = ByteRing()
        append([], to: &ring)
        #expect(ring.count == 0)
        #expect(prefix([1], of: ring) == 0)
        ring.removeFirst(5)
        #expect(ring.count == 0)
    }

    @Test("Compares up to the first byte that differs, at every place of a word", arguments: 0..<40)
    func differs(at place: Int) {
        var ring = ByteRing()
        let bytes = (0..<40).map { UInt8($0) }
        append(bytes, to: &ring)
        var other = bytes
        other[place] ^= 0x80
        #expect(prefix(other, of: ring) == place)
        #expect(prefix(Array(other[7...]), of: ring, from: 7) == (place < 7 ? 33 : place - 7))
    }

    @Test("Compares no further than either end")
    func ends() {
        var ring = ByteRing()
        append([1, 2, 3], to: &ring)
        #expect(prefix([1, 2], of: ring) == 2)
        #expect(prefix([1, 2, 3, 0, 0], of: ring) == 3)
        #expect(prefix([3, 0], of: ring, from: 2) == 1)
        #expect(prefix([0], of: ring, from: 3) == 0)
        #expect(prefix([], of: ring) == 0)
    }

    @Test("Wraps around its block")
    func wraps() {
        var ring = ByteRing()
        append([UInt8](repeating: 9, count: 60), to: &ring)
        ring.removeFirst(50)
        let bytes = (0..<40).map { UInt8($0) }
        append(bytes, to: &ring)
        #expect(ring.count == 50)
        #expect(prefix(bytes, of: ring, from: 10) == 40)
        #expect(prefix([UInt8](repeating: 9, count: 10) + bytes, of: ring) == 50)
        var other = bytes
        other[20] = 77
        #expect(prefix(other, of: ring, from: 10) == 20)
    }

    @Test("Grows while it is wrapped, and keeps its order")
    func grows() {
        var ring = ByteRing()
        append([UInt8](repeating: 9, count: 64), to: &ring)
        ring.removeFirst(40)
        append((0..<40).map { UInt8($0) }, to: &ring)
        append((40..<140).map { UInt8($0) }, to: &ring)
        let expected = [UInt8](repeating: 9, count: 24) + (0..<140).map { UInt8($0) }
        #expect(ring.count == 164)
        #expect(prefix(expected, of: ring) == 164)
    }

    @Test("Is what an array is, whatever is added and removed", arguments: 1...10)
    func model(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        var ring = ByteRing()
        var model: [UInt8] = []
        for _ in 0..<1000 {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                let bytes = (0..<Int.random(in: 0...90, using: &random)).map { _ in UInt8(random.next() & 0xFF) }
                append(bytes, to: &ring)
                model += bytes
            case 5..<9:
                let amount = Int.random(in: 0...120, using: &random)
                ring.removeFirst(amount)
                model.removeFirst(min(amount, model.count))
            default:
                if Int.random(in: 0..<10, using: &random) == 0 {
                    ring.removeAll()
                    model = []
                }
            }
            #expect(ring.count == model.count)
            #expect(prefix(model, of: ring) == model.count)
            let offset = Int.random(in: 0...model.count, using: &random)
            #expect(prefix(Array(model[offset...]), of: ring, from: offset) == model.count - offset)
        }
    }
}
