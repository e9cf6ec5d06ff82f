public import WeirFlow
public import WeirWire

/// Decides which packets say whose they are: the first of each leg of each flow, in each file.
///
/// A flow's first packet is captured before the relay knows the flow. So a packet that may begin one waits to be written,
/// until the flow is heard of or it has waited long enough; then the leg's next packet says it.
///
/// Reads no clock: times are those of packets and records, in nanoseconds since 1970 UTC.
public struct FlowNotes: Sendable {
    /// Says what becomes of a packet.
    public enum Note: Hashable, Sendable {
        /// It is written as it is.
        case nothing
        /// It is written with a comment.
        case says(String)
        /// It is to be asked about again later, and so is what comes behind it.
        case waits
    }

    /// Bounds how long a packet waits for its flow.
    static let patience: Int64 = 100_000_000
    /// Says how long a leg is remembered after its flow has ended: its last packets may be still on their way.
    static let memory: Int64 = 2_000_000_000

    private struct Leg {
        var flow: FlowID
        var text: String
        /// Tells that another flow had the same ports a moment ago, so that only a first packet can be this one's.
        var followsAnother: Bool
        /// Numbers the last file that has a packet which says it; 0 for none.
        var notedIn = 0
        var hasEnded = false
        /// Tells that the text says which process the client is, or that this is not known.
        var hasProcess = false
    }

    private let feed: FlowFeed
    private let process: ProcessPeek?
    private let linkType: LinkType
    private var legs: [FiveTuple: Leg] = [:]
    private var ended: [(leg: FiveTuple, flow: FlowID, at: Int64)] = []
    private var file = 1
    /// Counts the legs that no packet of the file has named.
    private var unnamed = 0
    /// Says when the last packet of a known flow came, from `watch` on.
    public private(set) var lastSign: Int64 = 0
    private var isWatching = false

    /// Knows no flow.
    ///
    /// - Parameters:
    ///   - feed: tells of flows.
    ///   - linkType: the packets' outermost header.
    ///   - process: answers which process a flow's client is; nil where nobody looks.
    public init(_ feed: FlowFeed, _ linkType: LinkType, process: ProcessPeek? = nil) {
        self.feed = feed
        self.process = process
        self.linkType = linkType
    }

    /// Looks at every packet from now on, to know which is the last of a flow.
    public mutating func watch(at time: Int64) {
        isWatching = true
        lastSign = time
    }

    /// Takes a packet for a sign of life, once it is watched for, where its flow is known.
    public mutating func watch(_ packet: LivePacket, _ bytes: RawSpan) {
        guard isWatching, let tuple = ends(of: packet, bytes).tuple, legs[tuple.canonical] != nil else { return }
        lastSign = max(lastSign, packet.timestamp)
    }

    /// Says that the packets from now on are in another file, where every leg is named again.
    public mutating func beginFile() {
        file += 1
        unnamed = legs.count
    }

    /// Looks at the next packet of the file.
    ///
    /// - Parameters:
    ///   - packet: its time and length.
    ///   - bytes: what was captured of it.
    ///   - time: now; the packet has come before, and waits no longer where that is long ago.
    /// - Returns: what becomes of it.
    public mutating func note(_ packet: LivePacket, _ bytes: RawSpan, at time: Int64) -> Note {
        let ends = ends(of: packet, bytes)
        guard let tuple = ends.tuple else { return .nothing }
        let begins = ends.flags.map { $0.intersection([.syn, .ack]) == .syn } ?? true
        guard begins || unnamed > 0 else { return .nothing }
        let mayWait = begins && time &- packet.timestamp <= Self.patience
        guard let index = legs.index(forKey: tuple.canonical) else { return mayWait ? .waits : .nothing }
        let leg = legs.values[index]
        if leg.notedIn != file, begins || !leg.followsAnother || leg.notedIn > 0 {
            guard noteProcess(at: index) || !mayWait else { return .waits }
            legs.values[index].notedIn = file
            unnamed -= 1
            return .says(legs.values[index].text)
        }
        // The same ports again: the packet may belong to a flow that is not known yet.
        return mayWait && (leg.hasEnded || ends.flags != nil) ? .waits : .nothing
    }

    /// Adds to a leg's text which process the client is; false while that is looked for.
    private mutating func noteProcess(at index: Dictionary<FiveTuple, Leg>.Index) -> Bool {
        guard let process, !legs.values[index].hasProcess else { return true }
        guard let answer = process(legs.values[index].flow) else { return false }
        legs.values[index].hasProcess = true
        if case .found(let found) = answer { legs.values[index].text += "; process \(found.description)" }
        return true
    }

    private func ends(of packet: LivePacket, _ bytes: RawSpan) -> PacketEnds {
        PacketEnds(bytes, linkType, originalLength: Int(packet.originalLength))
    }

    /// Learns of the flows that the feed has, and forgets the legs that ended long before a time.
    public mutating func learn(at time: Int64) {
        for record in feed.take() { learn(record) }
        guard let first = ended.first, time &- first.at > Self.memory else { return }
        let count = ended.firstIndex { time &- $0.at <= Self.memory } ?? ended.count
        for (name, flow, _) in ended[..<count] where legs[name]?.flow == flow {
            if legs.removeValue(forKey: name)?.notedIn != file { unnamed -= 1 }
        }
        ended.removeFirst(count)
    }

    private mutating func learn(_ record: FlowRecord) {
        let text = record.path.introduction(of: record.flow)
        for leg in record.legs {
            switch record.happening {
            case .closed: end(leg, record)
            default: begin(leg, record.flow, text)
            }
        }
        // A dial that failed was all of its leg.
        if record.transport == .tcp, case .refused = record.happening, let leg = record.serverLeg { end(leg, record) }
    }

    private mutating func begin(_ name: FiveTuple, _ flow: FlowID, _ text: String) {
        let known = legs[name]
        if let known {
            if known.flow == flow { return }
            if known.notedIn != file { unnamed -= 1 }
        }
        unnamed += 1
        legs[name] = Leg(flow: flow, text: text, followsAnother: known != nil)
    }

    private mutating func end(_ name: FiveTuple, _ record: FlowRecord) {
        guard legs[name]?.flow == record.flow else { return }
        legs[name]?.hasEnded = true
        ended.append((name, record.flow, record.moment.wallNanoseconds))
    }
}

extension FlowRecord {
    /// Identifies the packets of the flow's legs, without zones, which packets do not have.
    fileprivate var legs: [FiveTuple] {
        [tuple(path.client, path.listener)] + [serverLeg].compactMap(\.self)
    }

    fileprivate var serverLeg: FiveTuple? {
        guard let egress = path.egress, let server = path.server else { return nil }
        return tuple(egress, server)
    }

    private func tuple(_ source: Endpoint, _ destination: Endpoint) -> FiveTuple {
        FiveTuple(transport: transport, source: source.bare, destination: destination.bare).canonical
    }
}

extension Endpoint {
    fileprivate var bare: Endpoint {
        guard address.scope != 0 else { return self }
        return Endpoint(address: IPAddress(v6: address.high, low: address.low), port: port)
    }
}
