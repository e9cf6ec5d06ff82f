import Support
import Synchronization
import Testing
import WeirEngine
import WeirWire

@Suite("A batch of records")
struct RecordBatchTests {
    private func filled() -> RecordBatch {
        var batch = RecordBatch()
        batch.append(record(.opened), bytes: ([9, 9] as [UInt8]).span.bytes)
        batch.append(record(chunk(.upstream, at: 0, 3)), bytes: ([1, 2, 3] as [UInt8]).span.bytes)
        batch.append(record(chunk(.downstream, at: 0, 5)))
        batch.append(record(chunk(.upstream, at: 3, 2)), bytes: ([4, 5] as [UInt8]).span.bytes)
        return batch
    }

    @Test("Keeps the bytes of chunks end to end, and says where each one's begin")
    func bytes() {
        let batch = filled()
        #expect(batch.bytes == [1, 2, 3, 4, 5])
        let places = batch.records.map { record -> Int? in
            if case .forwarded(let chunk) = record.happening { chunk.bytesOffset } else { nil }
        }
        #expect(places == [nil, 0, nil, 3])
        #expect(batch.records.first == record(.opened))
    }

    @Test("Costs the memory that it takes up, which is more than what is in it")
    func cost() {
        let stride = MemoryLayout<FlowRecord>.stride
        #expect(RecordBatch().size == 0 && RecordBatch().cost == 0)
        #expect(RecordBatch().isEmpty)
        let batch = filled()
        #expect(batch.size == 4 * stride + 5)
        #expect(batch.cost >= batch.size && batch.cost < 2 * batch.size + 64)
        #expect(!batch.isEmpty)
    }

    @Test("Costs the ranges of the parts that it keeps, too")
    func costOfParts() {
        // So many that they cost more than the room that the allocator may leave in the arrays, which is its choice.
        let parts = (0..<1000).map { 2 * $0..<(2 * $0 + 1) }
        let ranges = parts.count * MemoryLayout<Range<Int>>.stride
        var batch = RecordBatch()
        batch.append(
            record(chunk(.upstream, at: 0, 2000)),
            bytes: [UInt8](repeating: 1, count: 2000).span.bytes,
            parts: parts
        )
        #expect(batch.size == MemoryLayout<FlowRecord>.stride + 1000)
        #expect(batch.cost >= batch.size + ranges && batch.cost < 4 * batch.size + ranges)
        #expect(ranges > 4 * batch.size)
    }

    @Test("Leaves chunks out for a sink that has fallen behind, and says what it left out")
    func withoutChunks() {
        let (rest, lost) = filled().withoutChunks()
        #expect(rest.records == [record(.opened)])
        #expect(rest.bytes.isEmpty)
        #expect(lost == LostChunks(chunks: 3, bytes: 10))
        #expect(filled().withoutChunks(1..<3).lost == LostChunks(chunks: 2, bytes: 8))
    }

    @Test(
        "Keeps what was on the wire beside chunks, and leaves its bytes out with them, and its ends if nobody wants them"
    )
    func wire() {
        var batch = filled()
        let (subject, moment) = (record(.opened).subject, record(.opened).moment)
        let description = WireBytes(leg: .client, direction: .upstream, offset: 7, length: 2)
        let secrets = WireRecord.secrets(.server, [1])
        batch.append(.bytes(description), of: subject, at: moment, bytes: ([8, 9] as [UInt8]).span.bytes)
        batch.append(secrets, of: subject, at: moment, bytes: RawSpan())
        #expect(batch.bytes == [1, 2, 3, 4, 5, 8, 9])
        var placed = description
        placed.bytesOffset = 5
        #expect(batch.records.suffix(2) == [record(.wire(.bytes(placed))), record(.wire(secrets))])
        #expect(batch.withoutChunks().batch.records == [record(.opened)])
        #expect(batch.withoutChunks(keepsWire: true).batch.records == [record(.opened), record(.wire(secrets))])
        #expect(batch.withoutChunks(keepsWire: true).lost == LostChunks(chunks: 3, bytes: 10))
        var seen: [[UInt8]] = []
        RecordRun(batch, 4..<6).forEach { _, bytes in seen.append(bytes.withUnsafeBytes { Array($0) }) }
        #expect(seen == [[8, 9], []])
    }

    /// Lends memory, and counts it.
    private final class Lender: BatchMemory {
        let taken = Atomic(0)
        let back = Atomic(0)

        func take() -> [UInt8] {
            taken.add(1, ordering: .relaxed)
            return []
        }

        func giveBack(_ bytes: consuming [UInt8]) { back.add(1, ordering: .relaxed) }

        var counts: [Int] { [taken.load(ordering: .relaxed), back.load(ordering: .relaxed)] }
    }

    @Test("Borrows memory for more than 64 KiB, not for 64 KiB")
    func border() {
        let lender = Lender()
        var batch = RecordBatch(memory: lender)
        let bytes = [UInt8](repeating: 1, count: 65_535)
        batch.append(record(chunk(.upstream, at: 0, bytes.count)), bytes: bytes.span.bytes)
        batch.append(record(chunk(.upstream, at: 65_535, 1)), bytes: ([2] as [UInt8]).span.bytes)
        #expect(lender.counts == [0, 0])
        batch.append(record(chunk(.upstream, at: 65_536, 1)), bytes: ([3] as [UInt8]).span.bytes)
        #expect(lender.counts == [1, 0])
        #expect(batch.bytes.count == 65_537 && batch.bytes.suffix(2) == [2, 3])
    }

    @Test("Borrows memory once its bytes are many, and gives it back with its last copy")
    func borrowing() {
        let lender = Lender()
        let bytes = (0..<50_000).map { UInt8(truncatingIfNeeded: $0) }
        var batch = RecordBatch(memory: lender)
        batch.append(record(chunk(.upstream, at: 0, bytes.count)), bytes: bytes.span.bytes)
        #expect(lender.counts == [0, 0])
        batch.append(record(chunk(.upstream, at: 50_000, bytes.count)), bytes: bytes.span.bytes)
        #expect(lender.counts == [1, 0])
        #expect(batch.bytes == bytes + bytes && batch.cost >= batch.size)
        var copy: RecordBatch? = batch
        let last = record(chunk(.upstream, at: 100_000, 1))
        batch.append(last, bytes: ([7] as [UInt8]).span.bytes)
        #expect(copy?.bytes == bytes + bytes && batch.bytes == bytes + bytes + [7])
        #expect(lender.counts == [1, 0])
        copy = nil
        #expect(lender.counts == [1, 1])
        batch.append(last, bytes: ([8] as [UInt8]).span.bytes)
        #expect(batch.bytes.suffix(2) == [7, 8])
        batch = RecordBatch()
        #expect(lender.counts == [2, 2])
    }
}
