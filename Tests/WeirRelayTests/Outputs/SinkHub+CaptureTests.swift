import Foundation
import Glibc
import Support
import Testing
import WeirEngine
import WeirSinks
import WeirWire

@testable import WeirRelay

@Suite("Captures of a sink hub", .tags(.capture), .timeLimit(.minutes(1)))
struct SinkHubCaptureTests {
    private static let second: Int64 = 1_000_000_000
    private static let hour = Self.second * 3600
    /// A full hour.
    private static let start = ManualClock.start.wallNanoseconds / hour * hour

    private let folder: TemporaryFolder
    private let reports = Reports()
    private let clock = Lock(Self.start)

    init() throws {
        folder = try TemporaryFolder()
    }

    private func hub(_ rotation: FileRotation, overflow: SinkOutput.Overflow = .wait) throws -> SinkHub {
        let files = try CaptureFiles(folder.path + "/a.pcapng", rotation: rotation) { [clock] in
            clock.withLock { $0 }
        }
        let output = SinkOutput(
            recordingTo: files,
            sink: CaptureSink(CaptureSettings(seed: 1)),
            overflow: overflow
        )
        return try SinkHub(outputs: [output], lanes: 1) { [reports] in reports.add($0) }
    }

    /// Makes the batch of a flow's next moment: its opening, then chunks of 1,000 bytes.
    private func batch(_ number: Int, at time: Int64) -> RecordBatch {
        func record(_ happening: FlowRecord.Happening) -> FlowRecord {
            let moment = Moment(wallNanoseconds: time, instant: Instant(nanoseconds: Int64(number)))
            return FlowRecord(
                flow: FlowID(1),
                transport: .tcp,
                path: Playbook.path,
                moment: moment,
                happening: happening
            )
        }
        var batch = RecordBatch()
        if number == 0 {
            batch.append(record(.opened))
            batch.append(record(.connected(dial: .zero, isRerouted: false)))
        }
        let chunk = ChunkRecord(
            direction: .upstream,
            number: UInt64(number),
            offset: UInt64(number * 1000),
            length: 1000,
            receivedAt: Instant(nanoseconds: Int64(number))
        )
        batch.append(
            record(.forwarded(chunk)),
            bytes: Array(repeating: UInt8(truncatingIfNeeded: number), count: 1000).span.bytes
        )
        return batch
    }

    /// Lists the files that were told to be whole.
    private var recorded: [String] {
        reports.sinks.compactMap { if case .recorded(let path) = $0 { path } else { nil } }
    }

    /// Reads the files that were told, each of which stands alone.
    private func captures() throws -> [SeenCapture] {
        try recorded.map { path in
            let capture = try SeenCapture(try TemporaryFolder.read(path))
            #expect(capture.error == nil)
            #expect(capture.sections.count == 1 && capture.interfaces.count == 2 && capture.statistics.count == 2)
            var status = stat()
            #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
            return capture
        }
    }

    private func numbers(_ capture: SeenCapture, _ leg: String = "client") -> [Int] {
        capture.packets.filter { $0.leg == leg && !$0.payload.isEmpty }.map { Int($0.payload[0]) }
    }

    @Test("Begins a file anew once it has grown to a size, loses nothing, and says each file's name")
    func size() async throws {
        let hub = try hub(FileRotation(size: 10_000))
        for number in 0..<50 { hub.submit(batch(number, at: Self.start + Int64(number)), lane: 0) }
        await hub.finish()
        let captures = try captures()
        #expect(captures.count > 8 && recorded == recorded.sorted())
        #expect(captures.flatMap { numbers($0) } == Array(0..<50))
        #expect(captures.flatMap { numbers($0, "server") } == Array(0..<50))
        for (path, capture) in zip(recorded, captures).dropLast() {
            let size = try TemporaryFolder.read(path).count
            // A chunk of 1,000 bytes and its acknowledgement are 2.6 KB on two legs; the statistics come on top.
            #expect(size >= 10_000 && size < 13_000)
            #expect(capture.packets.filter { !$0.comments.isEmpty }.map(\.leg) == ["client", "server"])
        }
        let times = captures.flatMap(\.packets).map(\.time)
        #expect(times == times.sorted() && Set(times).count == times.count)
    }

    @Test("Begins a file anew at exact multiples of a time, by the packets' own times")
    func time() async throws {
        let hub = try hub(FileRotation(every: .seconds(3600)))
        let times = [0, Self.hour - 10_000, Self.hour, Self.hour + 5, 3 * Self.hour + 7].map { Self.start + $0 }
        for (number, time) in times.enumerated() { hub.submit(batch(number, at: time), lane: 0) }
        await hub.finish()
        #expect(try captures().map { numbers($0) } == [[0, 1], [2, 3], [4]])
        let names = recorded.map { $0.split(separator: "/").last.map(String.init) ?? "" }
        #expect(names.map { String($0.dropFirst(11).prefix(6)) } == ["120000", "130000", "150000"])
        #expect(names.map { String($0.suffix(12)) } == ["00001.pcapng", "00002.pcapng", "00003.pcapng"])
    }

    @Test("Ends a file in time while nothing happens")
    func idle() async throws {
        let hub = try hub(FileRotation(every: .seconds(3600)))
        hub.submit(batch(0, at: Self.start), lane: 0)
        clock.withLock { $0 = Self.start + Self.hour + Self.second }
        let deadline = Deadline()
        while recorded.isEmpty, !deadline.isOver { poll(nil, 0, 5) }
        #expect(recorded.count == 1)
        await hub.finish()
        #expect(try captures().map { numbers($0) } == [[0], []])
    }

    @Test("Keeps as many files as told, the newest")
    func keep() async throws {
        let hub = try hub(FileRotation(size: 5000, keep: 3))
        for number in 0..<50 { hub.submit(batch(number, at: Self.start), lane: 0) }
        await hub.finish()
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(left.count == 3 && recorded.count > 10)
        #expect(left == recorded.suffix(3).map { String($0.dropFirst(folder.path.count + 1)) })
    }

    @Test("Tells that the next file cannot be made, and what was not written")
    func cannotGoOn() async throws {
        let hub = try hub(FileRotation(size: 5000))
        hub.submit(batch(0, at: Self.start), lane: 0)
        let deadline = Deadline()
        while hub.bytesWritten < 1000, !deadline.isOver { poll(nil, 0, 1) }
        try FileManager.default.removeItem(atPath: folder.path)
        for number in 1..<10 { hub.submit(batch(number, at: Self.start), lane: 0) }
        await hub.finish()
        guard case .failed(let failure)? = reports.sinks.first, case .missed(failure, let missed)? = reports.sinks.last
        else {
            Issue.record("\(reports.sinks)")
            return
        }
        #expect(failure.error.rawValue == ENOENT && failure.name.hasSuffix("-00001.pcapng"))
        #expect(missed.chunks > 0 && recorded == [])
    }

    @Test("Counts in the statistics what a slow file made it leave out")
    func lost() async throws {
        let files = try CaptureFiles(folder.path + "/a.pcapng")
        let output = SinkOutput(recordingTo: files, sink: CaptureSink(CaptureSettings(seed: 1)), overflow: .drop)
        let hub = try SinkHub(outputs: [output], lanes: 1, bound: 16 << 10) { [reports] in reports.add($0) }
        for number in 0..<2000 { hub.submit(batch(number, at: Self.start), lane: 0) }
        await hub.finish()
        guard case .lost(_, let chunks, _)? = reports.sinks.last else {
            Issue.record("\(reports.sinks)")
            return
        }
        let capture = try #require(try captures().first)
        #expect(capture.statistics.map(\.droppedByInterface) == [chunks, chunks])
        #expect(numbers(capture).count + Int(chunks) == 2000)
    }
}
