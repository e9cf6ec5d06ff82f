import WeirAnalysis
import WeirDissect
import WeirEngine
import WeirWire

/// The view with a line for each packet.
struct PacketsShow: ShowView, ~Copyable {
    private var query: FlowsQuery
    private let leg: FlowLeg?
    private let isJSON: Bool
    let needsBytes: String?
    private var text: PacketText
    private var json: PacketJSON
    private var joiner = FlowRows()
    /// The number of digits after the decimal point in the times of each interface.
    private var digits: [Int] = []

    init(_ query: FlowQuery?, leg: FlowLeg? = nil, hasHex: Bool, isJSON: Bool, _ style: TerminalStyle) {
        self.query = FlowsQuery(query)
        self.leg = leg
        self.isJSON = isJSON
        // A log's messages are not in its packets.
        let ofMessages = query?.asksForMessages ?? false
        needsBytes = hasHex ? "--hex" : ofMessages ? "--packets, with a query on messages," : nil
        text = PacketText(style, hasHex: hasHex)
        json = PacketJSON(hasBytes: hasHex)
    }

    var isLive: Bool { true }

    mutating func take(_ block: CaptureBlock) {
        joiner.add(block)
        switch block {
        case .pcapHeader(let header): digits = [header.isNanoseconds ? 9 : 6]
        case .section: digits = []
        case .interface(let interface):
            let resolution = interface.resolution ?? .microseconds
            digits.append(resolution.isBinary ? 9 : min(resolution.exponent, 9))
        case .names, .statistics, .secrets, .custom: break
        }
    }

    mutating func begin(_ metadata: PacketMetadata, in flows: borrowing CaptureFlows) {
        joiner.add(metadata.options.comments, in: flows)
        query.begin(metadata, in: flows, joiner)
    }

    mutating func take(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        _ output: ShowOutput
    ) {
        if query.needsPackets { query.add(packet, bytes, in: flows) }
        guard isWanted(flows) else {
            if isJSON { json.skip(bytes, in: flows) } else { text.skip(packet, bytes, in: flows) }
            return
        }
        let digits = packet.interface < digits.count ? digits[Int(packet.interface)] : 6
        if isJSON {
            output.write { json.append(packet, bytes, in: flows, numbers: joiner, to: &$0) }
        } else {
            output.write { text.append(packet, bytes, in: flows, digits: digits, numbers: joiner, to: &$0) }
        }
    }

    /// Returns whether one of the packet's flows is wanted; a packet without a flow is wanted only if there is no
    /// query.
    private func isWanted(_ flows: borrowing CaptureFlows) -> Bool {
        guard query.isGiven || leg != nil else { return true }
        for place in [flows.tcp, flows.udp] + flows.innerUDP {
            guard let place = place?.index, leg == nil || joiner.leg(place) == leg else { continue }
            if query.matchesPacket(joiner.row(place, of: flows.table)) { return true }
        }
        return false
    }

    mutating func finish(_ flows: borrowing CaptureFlows, _ report: ShowReport, _ output: ShowOutput) {}
}
