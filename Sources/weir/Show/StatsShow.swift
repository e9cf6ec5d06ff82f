import WeirAnalysis
import WeirCapture
import WeirDissect
import WeirEngine
import WeirWire

/// The view of statistics of flows, and of kinds of requests.
struct StatsShow: ShowView, ~Copyable {
    /// The maximum number of rows of each table, if none is given: as many as a terminal shows.
    static let defaultLimit = 20

    private let limit: Int?
    private let isJSON: Bool
    private let style: TerminalStyle
    private var reading: MessageReading
    private var stats = TrafficStats()

    /// Creates the view.
    ///
    /// - Parameters:
    ///   - query: The messages, and the flows, that are wanted; nil for all.
    ///   - limit: The maximum number of rows of each table; nil for all.
    ///   - isJSON: Whether JSON is shown.
    ///   - style: What the reader of the text can show.
    init(_ query: FlowQuery?, limit: Int?, isJSON: Bool, _ style: TerminalStyle) {
        reading = MessageReading(query)
        self.limit = limit
        self.isJSON = isJSON
        self.style = style
    }

    var needsBytes: String? { reading.needsBytes }

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
        stats.add(packet, in: flows)
        Self.read(packet, bytes, in: flows, &reading, &stats)
    }

    mutating func take(_ messages: [LoggedMessage], in flows: borrowing CaptureFlows, _ output: ShowOutput) {
        Self.read(messages, in: flows, &reading, &stats)
    }

    mutating func finish(_ flows: borrowing CaptureFlows, _ report: ShowReport, _ output: ShowOutput) {
        Self.finish(in: flows, &reading, &stats)
        let shown = StatsRows(stats, reading.chosenRows(of: flows), limit: limit)
        output.write { buffer in
            if isJSON {
                StatsJSON().append(shown, to: &buffer)
            } else {
                StatsText(style).append(shown, to: &buffer)
            }
        }
    }

    private static func read(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        _ reading: inout MessageReading,
        _ stats: inout TrafficStats
    ) {
        reading.add(packet, bytes, in: flows) { place, message in stats.add(message, of: place) }
    }

    private static func read(
        _ messages: [LoggedMessage],
        in flows: borrowing CaptureFlows,
        _ reading: inout MessageReading,
        _ stats: inout TrafficStats
    ) {
        reading.add(messages, in: flows) { place, message in stats.add(message, of: place) }
    }

    private static func finish(
        in flows: borrowing CaptureFlows,
        _ reading: inout MessageReading,
        _ stats: inout TrafficStats
    ) {
        reading.finish(in: flows) { place, message in stats.add(message, of: place) }
    }
}
