import WeirAnalysis
import WeirCapture
import WeirDissect
import WeirEngine
import WeirRelay
import WeirWire

/// The view that writes the exchanges of HTTP to an archive for the developer tools of a browser.
struct HARShow: ShowView, ~Copyable {
    private let path: String
    /// The file, which does not exist before something was read.
    private var file: NewFile?
    private var reading: HTTPReading
    private var stats = TrafficStats()
    private var writer = HARWriter(version: Machine.version)
    private var buffer = ByteBuffer(capacity: 64 << 10)
    private var failure: Failure?
    private static let pieceSize = 64 << 10

    /// Creates the view; `-` is standard output.
    ///
    /// - Throws: `Failure` if the file exists.
    init(to path: String, _ query: FlowQuery?) throws(Failure) {
        self.path = path
        if path != "-" { try NewFile.check(path) }
        reading = HTTPReading(query)
        writer.begin(to: &buffer)
    }

    var needsBytes: String? { "--har" }

    mutating func begin(_ metadata: PacketMetadata, in flows: borrowing CaptureFlows) {
        reading.begin(metadata, in: flows)
    }

    mutating func take(_ block: CaptureBlock) { reading.take(block) }

    mutating func take(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        _ output: ShowOutput
    ) {
        guard failure == nil else { return }
        stats.add(packet, in: flows)
        for exchange in reading.add(packet, bytes, in: flows) { add(exchange, flows, output) }
    }

    mutating func finish(
        _ flows: borrowing CaptureFlows,
        _ report: ShowReport,
        _ output: ShowOutput
    ) throws(Failure) {
        for exchange in reading.finish(in: flows) { add(exchange, flows, output) }
        writer.finish(to: &buffer)
        write(output)
        if let failure { throw failure }
        guard path != "-" else { return }
        let count = writer.entries
        output.write { $0.append("\(count) \(count == 1 ? "exchange" : "exchanges") of HTTP in \(path)\n") }
    }

    private mutating func add(_ exchange: HTTPExchange, _ flows: borrowing CaptureFlows, _ output: ShowOutput) {
        guard failure == nil else { return }
        let row = reading.joiner.row(exchange.place, of: flows.table)
        let connection = HARWriter.Connection(
            flow: row.number,
            client: row.path?.client ?? row.flow.client,
            server: row.path.map { $0.server ?? $0.listener } ?? row.flow.server,
            connect: stats.flow(exchange.place).dial
        )
        let (request, answer) = (
            HTTPReading.inflated(exchange.request?.content), HTTPReading.inflated(exchange.answer?.content)
        )
        writer.append(
            exchange,
            connection,
            requestBody: HARWriter.Body(bytes: request.bytes, trouble: request.trouble),
            answerBody: HARWriter.Body(bytes: answer.bytes, trouble: answer.trouble),
            to: &buffer
        )
        if buffer.count >= Self.pieceSize { write(output) }
    }

    private mutating func write(_ output: ShowOutput) {
        guard failure == nil else { return }
        guard path != "-" else {
            output.write { text in buffer.withUnsafeBytes { text.append($0.bytes) } }
            return buffer.removeFirst(buffer.count)
        }
        do throws(Failure) {
            if file == nil { file = try NewFile(path) }
            try buffer.withUnsafeBytes { bytes throws(Failure) in try file?.write(bytes) }
        } catch {
            failure = error
        }
        buffer.removeFirst(buffer.count)
    }
}
