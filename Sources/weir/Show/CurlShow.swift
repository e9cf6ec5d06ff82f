import WeirAnalysis
import WeirDissect
import WeirEngine
import WeirWire

/// The view of a flow's requests of HTTP as command lines of `curl`.
struct CurlShow: ShowView, ~Copyable {
    private let choice: CurlChoice
    private var reading: HTTPReading
    private var commands: [(number: Int, text: [UInt8])] = []
    private var count = 0

    init(_ choice: CurlChoice) {
        self.choice = choice
        reading = HTTPReading(.number(choice.flow))
    }

    var needsBytes: String? { "--curl" }

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
        for exchange in reading.add(packet, bytes, in: flows) { add(exchange, flows) }
    }

    mutating func finish(
        _ flows: borrowing CaptureFlows,
        _ report: ShowReport,
        _ output: ShowOutput
    ) throws(Failure) {
        for exchange in reading.finish(in: flows) { add(exchange, flows) }
        guard !commands.isEmpty else { throw missing }
        commands.sort { $0.number < $1.number }
        for command in commands { output.write { $0.append(command.text.span.bytes) } }
    }

    private mutating func add(_ exchange: HTTPExchange, _ flows: borrowing CaptureFlows) {
        guard let request = exchange.request else { return }
        count += 1
        guard choice.request == nil || choice.request == exchange.number else { return }
        let row = reading.joiner.row(exchange.place, of: flows.table)
        var text = ByteBuffer(capacity: 512)
        CurlCommand.append(request.content, server: row.path?.listener ?? row.flow.server, to: &text)
        commands.append((exchange.number, text.withUnsafeBytes { Array($0) }))
    }

    /// The failure if the flow has no such request.
    private var missing: Failure {
        guard count > 0, let request = choice.request else {
            return Failure(.expectationFailed, "flow \(choice.flow) has no requests of HTTP/1 that could be read")
        }
        return Failure(.expectationFailed, "there is no request \(request) in flow \(choice.flow): it has \(count)")
    }
}

/// The requests that `--curl` shows: those of a flow, `3`, or one of them, `3.2`.
struct CurlChoice: Hashable {
    /// The number of the flow.
    var flow: Int
    /// The number of the request in it, from 1; nil for all.
    var request: Int?

    init(flow: Int, request: Int? = nil) {
        self.flow = flow
        self.request = request
    }

    /// Reads a choice; nil if the text is none.
    init?(argument: String) {
        let parts = argument.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let flow = parts.first.flatMap({ Int($0) }), flow > 0 else { return nil }
        self.flow = flow
        guard parts.count == 2 else { return }
        guard let request = Int(parts[1]), request > 0 else { return nil }
        self.request = request
    }
}
