public import WeirEngine
public import WeirWire

/// The choice of the packets with a comment about their flow: in each file, the first of each leg of each flow; and of
/// those that a known process sent.
///
/// A flow's first packet is captured before the relay knows the flow. So a packet that may begin a flow waits to be
/// written, until the flow is known or the packet has waited long enough; then the leg's next packet gets the comment.
///
/// Reads no clock: times are those of packets and records, in nanoseconds since 1970 UTC.
public struct FlowNotes: Sendable {
    /// The treatment of a packet.
    public enum Note: Hashable, Sendable {
        /// The packet is written as it is.
        case nothing
        /// The packet is written with a comment, and with the number of the process that sent it, if that is known.
        case says(String, process: Int32? = nil)
        /// The packet is written with the number of the process that sent it.
        case isFrom(process: Int32)
        /// The packet waits, and so do those after it; call `note` again later.
        case waits
    }

    /// The maximum time in ns that a packet waits for its flow.
    static let patience: Int64 = 100_000_000
    /// The time in ns for which an ended flow's leg is remembered, because its last packets may still arrive.
    static let memory: Int64 = 2_000_000_000

    private struct Leg {
        var flow: FlowID
        var text: String
        /// The client's endpoint; nil on the leg to the server, where the relay sends.
        var client: Endpoint?
        /// Whether another flow recently had the same ports, so that only a first packet can belong to this one.
        var followsAnother: Bool
        /// The number of the last file with a packet that has the comment; 0 for none.
        var notedIn = 0
        var hasEnded = false
        /// Whether the text includes the client's process, or the search for the process has failed.
        var hasProcess = false
        /// The number of the client's process, if it is known.
        var process: Int32?
        /// Whether a flow that never got known may have taken over the ports.
        var isReused = false

        /// Returns the process that sent a packet of the leg; nil if it is not known.
        func sender(of tuple: FiveTuple) -> Int32? { client == tuple.source && !isReused ? process : nil }
    }

    private let feed: FlowFeed
    private let process: ProcessPeek?
    private let linkType: LinkType
    private var legs: [FiveTuple: Leg] = [:]
    private var ended: [(leg: FiveTuple, flow: FlowID, at: Int64)] = []
    private var file = 1
    /// The number of legs without a comment in this file.
    private var unnamed = 0
    /// The time of the last packet of a known flow since `watch(at:)`, in nanoseconds since 1970 UTC.
    public private(set) var lastSign: Int64 = 0
    private var isWatching = false
    /// Whether the process of any flow was found.
    private var hasProcesses = false

    /// Creates notes that know no flow.
    ///
    /// - Parameters:
    ///   - feed: The source of the relay's flows.
    ///   - linkType: The packets' outermost header.
    ///   - process: Returns the process of a flow's client; nil if the relay does not look for processes.
    public init(_ feed: FlowFeed, _ linkType: LinkType, process: ProcessPeek? = nil) {
        self.feed = feed
        self.process = process
        self.linkType = linkType
    }

    /// Starts to record the time of the last packet of known flows.
    public mutating func watch(at time: Int64) {
        isWatching = true
        lastSign = time
    }

    /// Records a packet as a sign of life, if `watch(at:)` was called and the packet's flow is known.
    public mutating func watch(_ packet: LivePacket, _ bytes: RawSpan) {
        guard isWatching, let tuple = ends(of: packet, bytes).tuple, legs[tuple.canonical] != nil else { return }
        lastSign = max(lastSign, packet.timestamp)
    }

    /// Begins another file, in which every leg gets a comment again.
    public mutating func beginFile() {
        file += 1
        unnamed = legs.count
    }

    /// Decides about the next packet of the file.
    ///
    /// - Parameters:
    ///   - packet: Its time and length.
    ///   - bytes: Its captured bytes.
    ///   - time: The current time; a packet that arrived long before does not wait any longer.
    /// - Returns: The treatment of the packet.
    public mutating func note(_ packet: LivePacket, _ bytes: RawSpan, at time: Int64) -> Note {
        let ends = ends(of: packet, bytes)
        guard let tuple = ends.tuple else { return .nothing }
        let begins = ends.flags.map { $0.intersection([.syn, .ack]) == .syn } ?? true
        guard begins || unnamed > 0 || hasProcesses else { return .nothing }
        let mayWait = begins && time &- packet.timestamp <= Self.patience
        guard let index = legs.index(forKey: tuple.canonical) else { return mayWait ? .waits : .nothing }
        let leg = legs.values[index]
        if leg.notedIn != file, begins || !leg.followsAnother || leg.notedIn > 0 {
            guard noteProcess(at: index) || !mayWait else { return .waits }
            legs.values[index].notedIn = file
            unnamed -= 1
            return .says(legs.values[index].text, process: legs.values[index].sender(of: tuple))
        }
        // The ports are reused: the packet may belong to a flow that is not known yet.
        guard begins, leg.hasEnded || ends.flags != nil else {
            return leg.notedIn == file ? leg.sender(of: tuple).map { .isFrom(process: $0) } ?? .nothing : .nothing
        }
        if !mayWait { legs.values[index].isReused = true }
        return mayWait ? .waits : .nothing
    }

    /// Adds the client's process to a leg's text; returns false while the process is still being searched for.
    private mutating func noteProcess(at index: Dictionary<FiveTuple, Leg>.Index) -> Bool {
        guard let process, !legs.values[index].hasProcess else { return true }
        guard let answer = process(legs.values[index].flow) else { return false }
        legs.values[index].hasProcess = true
        if case .found(let found) = answer {
            legs.values[index].text += "; process \(found.description)"
            legs.values[index].process = found.identifier
            hasProcesses = true
        }
        return true
    }

    private func ends(of packet: LivePacket, _ bytes: RawSpan) -> PacketEnds {
        PacketEnds(bytes, linkType, originalLength: Int(packet.originalLength))
    }

    /// Adds the flows in the feed, and forgets the legs that ended long before a time.
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
            default:
                begin(leg, record.flow, text, client: leg == record.clientLeg ? record.path.client.withoutZone : nil)
            }
        }
        // If a dial failed, its leg is over.
        if record.transport == .tcp, case .refused = record.happening, let leg = record.serverLeg { end(leg, record) }
    }

    private mutating func begin(_ name: FiveTuple, _ flow: FlowID, _ text: String, client: Endpoint?) {
        let known = legs[name]
        if let known {
            if known.flow == flow { return }
            if known.notedIn != file { unnamed -= 1 }
        }
        unnamed += 1
        legs[name] = Leg(flow: flow, text: text, client: client, followsAnother: known != nil)
    }

    private mutating func end(_ name: FiveTuple, _ record: FlowRecord) {
        guard legs[name]?.flow == record.flow else { return }
        legs[name]?.hasEnded = true
        ended.append((name, record.flow, record.moment.wallNanoseconds))
    }
}

extension FlowRecord {
    /// The keys of the packets of the flow's legs, without zones, which packets do not have.
    fileprivate var legs: [FiveTuple] { [clientLeg] + [serverLeg].compactMap(\.self) }

    fileprivate var clientLeg: FiveTuple { tuple(path.client, path.listener) }

    fileprivate var serverLeg: FiveTuple? {
        guard let egress = path.egress, let server = path.server else { return nil }
        return tuple(egress, server)
    }

    private func tuple(_ source: Endpoint, _ destination: Endpoint) -> FiveTuple {
        FiveTuple(transport: transport, source: source.withoutZone, destination: destination.withoutZone).canonical
    }
}
