import Support
import Testing
import WeirEngine
import WeirWire

@Suite("A run of records")
struct RecordRunTests {
    /// Makes a batch of `opened`, three chunks, and the end of upstream; the second chunk has no bytes.
    private func filled() -> RecordBatch {
        var batch = RecordBatch()
        batch.append(record(.opened))
        batch.append(record(chunk(.upstream, at: 0, 3)), bytes: ([1, 2, 3] as [UInt8]).span.bytes)
        batch.append(record(chunk(.downstream, at: 0, 5)))
        batch.append(
            record(chunk(.upstream, at: 3, 4)),
            bytes: ([4, 5, 6, 7] as [UInt8]).span.bytes,
            parts: [0..<1, 2..<4]
        )
        batch.append(record(.ended(.upstream)))
        return batch
    }

    /// Writes a run down: the kind of each record, and its bytes.
    private func text(_ run: RecordRun) -> [String] {
        var lines: [String] = []
        run.forEach { record, bytes in
            let kept = bytes.withUnsafeBytes { Array($0) }
            switch record.happening {
            case .opened: lines.append("opened \(kept)")
            case .forwarded(let chunk): lines.append("chunk \(chunk.direction) \(chunk.length) \(kept)")
            case .ended: lines.append("ended \(kept)")
            case .message(let message): lines.append("message \(message.range.lowerBound) \(record.flow.rawValue)")
            default: lines.append("other")
            }
        }
        return lines
    }

    @Test("Gives its records, each with the bytes that were kept of it")
    func records() {
        #expect(
            text(RecordRun(filled())) == [
                "opened []", "chunk upstream 3 [1, 2, 3]", "chunk downstream 5 []", "chunk upstream 4 [4, 6, 7]",
                "ended []",
            ]
        )
        let part = RecordRun(filled(), 1..<3)
        #expect(text(part) == ["chunk upstream 3 [1, 2, 3]", "chunk downstream 5 []"])
        #expect(part.count == 2 && RecordRun().count == 0 && text(RecordRun()).isEmpty)
    }

    @Test("Costs its batch where it ends it, and nothing before")
    func cost() {
        let batch = filled()
        #expect(RecordRun(batch, 0..<4).cost == 0)
        #expect(RecordRun(batch, 4..<5).cost == batch.cost && RecordRun(batch).cost == batch.cost)
        #expect(RecordRun().cost == 0)
        #expect(RecordRun(batch, 0..<1).held == batch.cost && RecordRun(batch).held == batch.cost)
    }

    @Test("Messages come before the record with which they end, at its time and of its flow")
    func messages() {
        var run = RecordRun(filled(), 1..<5)
        let cost = run.cost
        var seen: [[UInt8]] = []
        run.addMessages { record, bytes, receiver in
            seen.append(bytes.withUnsafeBytes { Array($0) })
            guard let chunk = record.happening.chunk, chunk.direction == .upstream else { return }
            for number in 0..<chunk.length - 2 {
                var message = Message()
                message.range = number..<number + 1
                receiver(message)
            }
        }
        #expect(seen == [[1, 2, 3], [], [4, 6, 7], []])
        #expect(
            text(run) == [
                "message 0 1", "chunk upstream 3 [1, 2, 3]", "chunk downstream 5 []", "message 0 1", "message 1 1",
                "chunk upstream 4 [4, 6, 7]", "ended []",
            ]
        )
        #expect(run.count == 7 && run.cost == cost + 3 * Message().cost)
        #expect(run.held == run.cost && RecordRun(filled(), 1..<2).cost == 0)
    }

    @Test("Without its chunks it has no messages either, and says what is missing")
    func withoutChunks() {
        var run = RecordRun(filled(), 0..<4)
        run.addMessages { _, _, receiver in receiver(Message()) }
        let (rest, lost) = run.withoutChunks()
        #expect(text(rest) == ["opened []"])
        #expect(lost == LostChunks(chunks: 3, bytes: 12))
    }
}
