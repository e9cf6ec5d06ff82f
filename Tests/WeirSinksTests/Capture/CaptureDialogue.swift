import Support
import WeirEngine
import WeirSinks
import WeirWire

/// Tells a capture sink what happens to flows, and reads what it has written.
struct CaptureDialogue {
    var sink: CaptureSink
    private(set) var file: [UInt8] = []
    private let transport: Transport
    private let flow: FlowID
    var path: FlowPath
    private var clock = ManualClock()
    private var counters: [Direction: (chunks: UInt64, bytes: UInt64)] = [:]
    /// The number of bytes on the wire that were told, by leg and direction.
    var wire: [String: UInt64] = [:]

    init(
        _ transport: Transport = .tcp,
        path: FlowPath = Playbook.path,
        flow: UInt64 = 7,
        _ change: (inout CaptureSettings) -> Void = { _ in }
    ) {
        var settings = CaptureSettings(seed: 1)
        change(&settings)
        sink = CaptureSink(settings)
        self.transport = transport
        self.path = path
        self.flow = FlowID(flow)
        begin()
    }

    /// Begins a file.
    mutating func begin() {
        var output = ByteBuffer()
        sink.begin(at: clock.now.wallNanoseconds, into: &output)
        file = output.withUnsafeBytes { Array($0) }
    }

    /// Ends the file.
    mutating func finish() {
        var output = ByteBuffer()
        sink.finish(into: &output)
        file += output.withUnsafeBytes { Array($0) }
    }

    /// Says that time goes on; without it every record has the same time.
    mutating func advance(_ duration: Duration) { clock.advance(by: duration) }

    /// Tells what happens now.
    mutating func tell(_ happening: FlowRecord.Happening, _ bytes: [UInt8] = [], path other: FlowPath? = nil) {
        let record = FlowRecord(
            flow: flow,
            transport: transport,
            path: other ?? path,
            moment: clock.now,
            happening: happening
        )
        var output = ByteBuffer(capacity: 0)
        sink.render(record, bytes: bytes.span.bytes, into: &output)
        file += output.withUnsafeBytes { Array($0) }
    }

    /// Tells that the flow began, and reached its server.
    mutating func open() {
        tell(.opened)
        tell(.connected(dial: .zero, isRerouted: false))
    }

    /// Tells of a chunk that was received and goes on now.
    mutating func chunk(_ direction: Direction, _ bytes: [UInt8], receivedAgo: Duration = .zero) {
        tell(.forwarded(next(direction, bytes.count, receivedAgo: receivedAgo)), bytes)
    }

    mutating func chunk(_ direction: Direction, _ text: String) { chunk(direction, Array(text.utf8)) }

    /// Makes the record of the next chunk of a direction, and counts it.
    mutating func next(_ direction: Direction, _ length: Int, receivedAgo: Duration = .zero) -> ChunkRecord {
        let (chunks, bytes) = counters[direction] ?? (0, 0)
        counters[direction] = (chunks + 1, bytes + UInt64(length))
        return ChunkRecord(
            direction: direction,
            number: chunks,
            offset: bytes,
            length: length,
            receivedAt: clock.now.instant.advanced(by: .zero - receivedAgo)
        )
    }

    /// Tells how the flow ended.
    mutating func close(_ reason: CloseReason) {
        let close = CloseRecord(reason: reason, upstream: Counters(), downstream: Counters(), duration: .zero)
        tell(.closed(close))
    }

    /// Reads what was written.
    var capture: SeenCapture {
        get throws { try SeenCapture(file) }
    }

    /// Writes each packet as a line.
    var lines: [String] {
        get throws { try capture.lines }
    }
}
