import Testing
import WeirFlow
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

    @Test("Costs 256 bytes a record, and its bytes")
    func cost() {
        #expect(RecordBatch().cost == 0)
        #expect(RecordBatch().isEmpty)
        #expect(filled().cost == 4 * 256 + 5)
        #expect(!filled().isEmpty)
    }

    @Test("Leaves chunks out for a sink that has fallen behind, and says what it left out")
    func withoutChunks() {
        let (rest, chunks, bytes) = filled().withoutChunks()
        #expect(rest.records == [record(.opened)])
        #expect(rest.bytes.isEmpty)
        #expect((chunks, bytes) == (3, 10))
    }
}
