import WeirAnalysis
import WeirCapture
import WeirDissect
import WeirEngine
import WeirWire

/// The view of statistics of flows, and of kinds of requests.
struct StatsShow: ShowView, ~Copyable {
    /// The maximum number of rows of each table, if none is given: as many as a terminal shows.
    static let defaultLimit = 20

    private var query: FlowsQuery
    private let limit: Int?
    private let isJSON: Bool
    private let style: TerminalStyle
    private var dissector = CaptureDissector(wantsFields: false)
    private var stats = TrafficStats()
    private var joiner = FlowRows()

    /// Creates the view.
    ///
    /// - Parameters:
    ///   - query: The flows that are wanted; nil for all.
    ///   - limit: The maximum number of rows of each table; nil for all.
    ///   - isJSON: Whether JSON is shown.
    ///   - style: What the reader of the text can show.
    init(_ query: FlowQuery?, limit: Int?, isJSON: Bool, _ style: TerminalStyle) {
        self.query = FlowsQuery(query)
        self.limit = limit
        self.isJSON = isJSON
        self.style = style
    }

    var needsBytes: String? { query.needsBytes }

    mutating func begin(_ metadata: PacketMetadata, in flows: borrowing CaptureFlows) {
        joiner.add(metadata.options.comments, in: flows)
        query.begin(metadata, in: flows, joiner)
        dissector.begin(in: flows, joiner)
    }

    mutating func take(_ block: CaptureBlock) { joiner.add(block) }

    mutating func take(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        _ output: ShowOutput
    ) {
        query.add(packet, bytes, in: flows)
        stats.add(packet, in: flows)
        // The messages of a second leg are those of the first.
        guard flows.hasFlow({ joiner.stands($0) }) else { return }
        Self.read(packet, bytes, in: flows, &dissector, &stats)
    }

    mutating func take(_ messages: [LoggedMessage], in flows: borrowing CaptureFlows, _ output: ShowOutput) {
        query.add(messages, in: flows)
        for message in messages {
            guard let place = flows.table.find(message.tuple) else { continue }
            stats.add(message.message, of: place)
        }
    }

    mutating func finish(_ flows: borrowing CaptureFlows, _ report: ShowReport, _ output: ShowOutput) {
        Self.finish(&dissector, &stats)
        query.finish()
        var rows: [FlowRow] = []
        for row in joiner.rows(of: flows.table) where query.matches(row) { rows.append(row) }
        let shown = StatsRows(stats, rows, limit: limit)
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
        _ dissector: inout CaptureDissector,
        _ stats: inout TrafficStats
    ) {
        dissector.add(packet, bytes, in: flows) { place, message in stats.add(message, of: place) }
    }

    private static func finish(_ dissector: inout CaptureDissector, _ stats: inout TrafficStats) {
        dissector.finish { place, message in stats.add(message, of: place) }
    }
}
