import Glibc
import Support
import Testing
import WeirCapture
import WeirEngine
import WeirRelay
import WeirWire

@testable import weir

@Suite("The receiver of weir capture's packets", .tags(.capture), .timeLimit(.minutes(1)))
struct CaptureWriterTests {
    private let folder: TemporaryFolder
    private let feed = FlowFeed()

    init() throws { folder = try TemporaryFolder() }

    private func writer(to descriptor: Int32) throws -> CaptureWriter {
        let description = CaptureDescription(linkType: .ethernet)
        let file = try CaptureFileWriter(description, naming: feed, to: OutputTarget(lent: descriptor))
        return CaptureWriter(file: file, printer: nil, status: nil)
    }

    private static func receive(_ writer: inout CaptureWriter, at time: Int64, _ bytes: [UInt8]) {
        writer.receive(LivePacket(timestamp: time, originalLength: UInt32(bytes.count)), bytes.span.bytes)
    }

    /// Lets the writer know the flow of `CaptureFileWriterTests.frame`.
    private func learn(at time: Int64) {
        var sink = FlowFeedSink(feed)
        var output = ByteBuffer()
        let record = FlowRecord(
            flow: FlowID(7),
            transport: .tcp,
            path: FlowPath(client: CaptureFileWriterTests.client, listener: CaptureFileWriterTests.listener),
            moment: Moment(wallNanoseconds: time, instant: Instant(nanoseconds: 0)),
            happening: .opened
        )
        sink.render(record, bytes: RawSpan(), into: &output)
    }

    @Test("The last sign is the order to end, and then the last packet of a flow that is known; others wait")
    func signs() throws {
        let descriptor = open(try folder.file("a", []), O_WRONLY | O_CLOEXEC)
        defer { close(descriptor) }
        var writer = try writer(to: descriptor)
        // A packet waits no longer than for a tenth of a second by its own time: this one is of the future.
        let now = SystemClock.now().wallNanoseconds + 60_000_000_000
        let (known, other) = (CaptureFileWriterTests.frame(.ack), CaptureFileWriterTests.frame(.syn, from: 2))
        learn(at: now)
        Self.receive(&writer, at: now, known)
        writer.pause(isIdle: false)
        var signs = [writer.lastSign]
        var waits = [writer.isWaiting]
        writer.prepareToEnd(at: now + 3)
        signs.append(writer.lastSign)
        writer.pause(isIdle: true)
        signs.append(writer.lastSign)
        Self.receive(&writer, at: now + 4, known)
        Self.receive(&writer, at: now + 5, other)
        writer.pause(isIdle: false)
        signs.append(writer.lastSign)
        waits.append(writer.isWaiting)
        #expect(signs == [0, now + 3, now + 3, now + 4] && waits == [false, true])
        var progress = CaptureProgress(began: now)
        progress.packets = 3
        writer.note(progress)
        progress.packets = 4
        writer.finish(progress)
        let hasEnded = writer.hasEnded
        #expect(!hasEnded)
        let seen = try SeenFrames(try folder.read("a"))
        #expect(seen.frames.map { $0.time - now } == [0, 4, 5] && seen.frames.map(\.bytes) == [known, known, other])
        #expect(seen.statistics.map(\.delivered) == [4])
    }

    @Test("A file that ends before the capture has the counters of that time")
    func counters() throws {
        let files = try CaptureFiles(folder.path + "/", rotation: FileRotation(every: .seconds(1)), clock: { 0 })
        let description = CaptureDescription(linkType: .ethernet)
        let file = try CaptureFileWriter(description, naming: feed, to: OutputTarget(files))
        var writer = CaptureWriter(file: file, printer: nil, status: nil)
        var progress = CaptureProgress(began: 0)
        for number in 1...2 {
            Self.receive(&writer, at: Int64(number) * 5_000_000_000, CaptureFileWriterTests.frame(.ack))
            writer.pause(isIdle: true)
            progress.packets = UInt64(number)
            writer.note(progress)
        }
        writer.finish(progress)
        let names = try ChildProgram.run("ls", [folder.path]).output.split(separator: "\n").map(String.init).sorted()
        let counts = try names.map { try SeenFrames(try folder.read($0)).statistics.map(\.delivered) }
        #expect(counts == [[1], [2]])
    }

    @Test("A failure ends it, and is the first one; nothing is taken after it")
    func fails() throws {
        signal(SIGPIPE, SIG_IGN)
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { close(ends[1]) }
        var writer = try writer(to: ends[1])
        close(ends[0])
        var states = [writer.hasEnded]
        Self.receive(&writer, at: 1, CaptureFileWriterTests.frame())
        writer.pause(isIdle: false)
        states.append(writer.hasEnded)
        writer.pause(isIdle: true)
        states.append(writer.hasEnded)
        let failure = writer.failure
        #expect(states == [false, false, true] && failure?.error == ErrorNumber(EPIPE))
        Self.receive(&writer, at: 2, CaptureFileWriterTests.frame())
        writer.finish(CaptureProgress(began: 0))
        #expect(writer.failure == failure)
    }

    @Test("Without a file there is nothing to wait for")
    func nothing() {
        var writer = CaptureWriter(file: nil, printer: nil, status: nil)
        Self.receive(&writer, at: 1, CaptureFileWriterTests.frame())
        writer.pause(isIdle: true)
        let states = [writer.hasEnded, writer.isWaiting]
        writer.prepareToEnd(at: 9)
        let sign = writer.lastSign
        #expect(states == [false, false] && sign == 9)
        writer.finish(CaptureProgress(began: 0))
    }
}
