import Support
import Testing
import WeirEngine
import WeirWire

@testable import WeirRelay

@Suite("The stage between loops and outputs", .timeLimit(.minutes(1)))
struct RecordStageTests {
    /// A sink of one line for each record and each message.
    private struct Lines: Sink {
        let interest = Interest.chunks
        var messages: MessageInterest

        mutating func render(_ record: FlowRecord, bytes: RawSpan, into output: inout ByteBuffer) {
            let head = "\(record.flow.rawValue) \(record.moment.instant.nanoseconds)"
            switch record.happening {
            case .forwarded(let chunk):
                output.append("chunk \(head) \(chunk.offset) \(chunk.length) \(bytes.byteCount)\n")
            case .message(let message) where message.isUnfinished:
                output.append("part \(head) \(message.range.lowerBound)\n")
            case .message(let message):
                let range = "\(message.range.lowerBound) \(message.range.upperBound)"
                output.append("message \(head) \(range) \(message.summary.string)\n")
            case .closed: output.append("closed \(head)\n")
            default: output.append("other \(head)\n")
            }
        }
    }

    /// The commands of a flow, its bytes, and how far they were sent.
    private struct Talk {
        var said: [String] = []
        var bytes: [UInt8] = []
        var sent = 0

        init(_ random: inout SplitMix64) {
            for _ in 0..<Int.random(in: 0...12, using: &random) {
                let words = (0..<Int.random(in: 1...3, using: &random)).map { place in
                    place == 0
                        ? ["GET", "SET", "DEL"][Int.random(in: 0..<3, using: &random)] : "k\(random.next() % 100_000)"
                }
                said.append(words.joined(separator: " "))
                bytes += Array("*\(words.count)\r\n\(words.map { "$\($0.utf8.count)\r\n\($0)\r\n" }.joined())".utf8)
            }
        }
    }

    /// Everything that loops would submit in a seeded run, in the order of time; each flow belongs to one lane.
    private struct Traffic {
        static let lanes = 3
        var batches: [(batch: RecordBatch, lane: Int)] = []
        var talks: [Talk]

        init(seed: UInt64) {
            var random = SplitMix64(seed: seed)
            talks = (0..<9).map { _ in Talk(&random) }
            var open = Array(0..<9)
            var building = [RecordBatch](repeating: RecordBatch(), count: Self.lanes)
            // In the future, so that records wait for each other until the end however slow this machine is.
            var time = SystemClock.instant().advanced(by: .seconds(600)).nanoseconds
            while let flow = open.randomElement(using: &random) {
                time += Int64.random(in: 0...3, using: &random)
                let (lane, left) = (flow % Self.lanes, talks[flow].bytes.count - talks[flow].sent)
                let start = talks[flow].sent
                if left == 0 {
                    building[lane].append(Self.record(Sample.closed(.of(1, in: 1), .of(1, in: 1)), flow, time))
                    open.removeAll { $0 == flow }
                } else {
                    let count = Int.random(in: 1...min(left, 40), using: &random)
                    building[lane].append(
                        Self.record(Support.chunk(.upstream, at: UInt64(start), count), flow, time),
                        bytes: talks[flow].bytes[start..<start + count].span.bytes
                    )
                    talks[flow].sent += count
                }
                if random.next() % 4 == 0 {
                    batches.append((building[lane], lane))
                    building[lane] = RecordBatch()
                }
            }
            for lane in 0..<Self.lanes { batches.append((building[lane], lane)) }
        }

        private static func record(_ happening: FlowRecord.Happening, _ flow: Int, _ time: Int64) -> FlowRecord {
            var record = Support.record(happening, flow: UInt64(flow))
            record.moment = Moment(wallNanoseconds: time, instant: Instant(nanoseconds: time))
            return record
        }
    }

    @Test(
        "All outputs get the same records in the order of time, and those that want messages get each once, before its end",
        arguments: UInt64(1)...40
    )
    func everyOutput(seed: UInt64) async throws {
        var traffic = Traffic(seed: seed)
        let pipes = try (0..<3).map { _ in try OutputPipe() }
        let outputs = zip(pipes, [MessageInterest.none, .summaries, .fields]).map { pipe, messages in
            pipe.output(.wait, sink: Lines(messages: messages))
        }
        let hub = try SinkHub(outputs: outputs, lanes: Traffic.lanes) { Issue.record("\($0)") }
        #expect(hub.messages == .fields && hub.interest == .chunks)
        let reading = pipes.map { $0.readToEnd() }
        for (batch, lane) in traffic.batches { hub.submit(batch, lane: lane) }
        await hub.finish()
        for pipe in pipes { pipe.finish() }
        var texts: [[Substring]] = []
        for task in reading {
            texts.append(String(decoding: try await task.value, as: UTF8.self).split(separator: "\n"))
        }

        #expect(texts[1] == texts[2].filter { !$0.hasPrefix("part") })
        #expect(texts[0] == texts[1].filter { !$0.hasPrefix("message") })
        let times = texts[0].compactMap { Int64($0.split(separator: " ")[2]) }
        #expect(times == times.sorted() && times.count == traffic.batches.reduce(0) { $0 + $1.batch.records.count })
        var waiting: [(flow: Int, end: Int)] = []
        for words in texts[1].map({ $0.split(separator: " ", maxSplits: 5) }) {
            let flow = try #require(Int(words[1]))
            if words[0] == "message" {
                waiting.append((flow, try #require(Int(words[4]))))
                #expect(words[5] == traffic.talks[flow].said.removeFirst(), "seed \(seed)")
                continue
            }
            // What precedes a chunk ends in it.
            for (of, end) in waiting {
                let (offset, length) = (try #require(Int(words[3])), try #require(Int(words[4])))
                #expect(of == flow && end > offset && end <= offset + length, "seed \(seed)")
            }
            waiting = []
        }
        #expect(waiting.isEmpty && traffic.talks.allSatisfy(\.said.isEmpty), "seed \(seed)")
    }

    @Test("Where no output waits, what messages are read too slowly for is left out and counted; loops never wait")
    func drops() async throws {
        let pipe = try OutputPipe()
        let reports = Reports()
        let hub = try SinkHub(
            outputs: [pipe.output(.drop, sink: Lines(messages: .summaries))],
            lanes: 1,
            bound: 4096
        ) { reports.add($0) }
        let reading = pipe.readToEnd()
        let bytes = [UInt8](repeating: 0x2b, count: 3000)
        for number in UInt64(0)..<500 {
            var batch = RecordBatch()
            batch.append(record(Support.chunk(.upstream, at: number * 3000, 3000)), bytes: bytes.span.bytes)
            batch.append(record(.ended(.downstream)))
            hub.submit(batch, lane: 0)
            #expect(!hub.isFull)
        }
        await hub.finish()
        pipe.finish()
        let lines = String(decoding: try await reading.value, as: UTF8.self).split(separator: "\n")
        let chunks = lines.count { $0.hasPrefix("chunk") }
        #expect(lines.count { $0.hasPrefix("other") } == 500)
        var lost: UInt64 = 0
        for case .lost(_, let count, let bytes) in reports.sinks {
            lost += count
            #expect(bytes == count * 3000)
        }
        #expect(chunks + Int(lost) == 500)
    }

    @Test("A loop that waits for events delays no other one's records, and one that is busy does for a moment")
    func idleLanes() async throws {
        let pipe = try OutputPipe()
        let hub = try SinkHub(outputs: [pipe.output(.wait, sink: Lines(messages: .none))], lanes: 2) {
            Issue.record("\($0)")
        }
        hub.setIdle(true, lane: 1)
        let deadline = Deadline()
        for _ in 0..<20 {
            var batch = RecordBatch()
            var opened = record(.opened, flow: 2)
            opened.moment = SystemClock.now()
            batch.append(opened)
            let before = hub.bytesWritten
            hub.submit(batch, lane: 0)
            while hub.bytesWritten == before, !deadline.isOver { await Task.yield() }
        }
        #expect(!deadline.isOver)
        let reading = pipe.readToEnd()
        await hub.finish()
        pipe.finish()
        let lines = String(decoding: try await reading.value, as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 20)
    }

    @Test("Where one loop is cut into runs by the other, an output that drops holds no more than its bound")
    func boundOfRuns() async throws {
        let pipe = try OutputPipe()
        let reports = Reports()
        let bound = 1 << 20
        let hub = try SinkHub(outputs: [pipe.output(.drop)], lanes: 2, bound: bound) { reports.add($0) }
        let bytes = [UInt8](repeating: 7, count: 64 << 10)
        var time = SystemClock.instant().nanoseconds
        // Each batch has a chunk before and one behind the other loop's.
        for _ in 0..<100 {
            for lane in 0..<2 {
                var batch = RecordBatch()
                for place in 0..<2 {
                    var part = record(Support.chunk(.upstream, at: 0, bytes.count), flow: UInt64(lane + 1))
                    let at = time + Int64(lane + 2 * place)
                    part.moment = Moment(wallNanoseconds: at, instant: Instant(nanoseconds: at))
                    batch.append(part, bytes: bytes.span.bytes)
                }
                hub.submit(batch, lane: lane)
            }
            time += 10
            await Task.yield()
        }
        let reading = pipe.readToEnd()
        await hub.finish()
        pipe.finish()
        let written = try await reading.value.count / bytes.count
        var lost: UInt64 = 0
        for case .lost(_, let count, _) in reports.sinks { lost += count }
        #expect(written + Int(lost) == 400)
        // What is in the pipe, with its writer, and within the bound, as long as nobody reads.
        #expect(written < 3 * bound / bytes.count + 10, "\(written)")
    }

    @Test("An output that leaves gets what was submitted before, and one that comes gets what is submitted after")
    func comesAndGoes() async throws {
        let (first, second) = (try OutputPipe(), try OutputPipe())
        let hub = try SinkHub(outputs: [], lanes: 2) { Issue.record("\($0)") }
        // The stage compares the times of records with the clock's.
        let now = SystemClock.now()
        func submit(_ flow: UInt64) {
            var (batch, opened) = (RecordBatch(), record(.opened, flow: flow))
            opened.moment = now
            batch.append(opened)
            hub.submit(batch, lane: Int(flow % 2))
        }
        submit(1)
        let (reading, readingSecond) = (first.readToEnd(), second.readToEnd())
        let worker = try hub.add(first.output(.wait, sink: Lines(messages: .none)))
        submit(2)
        submit(3)
        await hub.remove(worker)
        first.finish()
        let other = try hub.add(second.output(.wait, sink: Lines(messages: .none)))
        submit(4)
        await hub.remove(other)
        second.finish()
        await hub.finish()
        let time = now.instant.nanoseconds
        #expect(String(decoding: try await reading.value, as: UTF8.self) == "other 2 \(time)\nother 3 \(time)\n")
        #expect(String(decoding: try await readingSecond.value, as: UTF8.self) == "other 4 \(time)\n")
    }
}
