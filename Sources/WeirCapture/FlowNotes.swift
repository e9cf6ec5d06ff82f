import WeirFlow
import WeirWire

/// Decides which packets say whose they are: the first of each leg of each flow, in each file.
///
/// A flow's first packet is captured before the relay knows the flow. So a packet that may begin one is marked while it
/// waits to be written, and what it is to say is added if the flow is heard of in time; if not, the leg's next packet
/// says it. Packets are named by their places among all bytes that the capture has rendered.
///
/// Reads no clock: times are those of packets and records, in nanoseconds since 1970 UTC.
struct FlowNotes {
    /// Bounds how long a packet waits for its flow.
    static let patience: Int64 = 100_000_000
    /// Says how long a leg is remembered after its flow has ended: its last packets may be still on their way.
    static let memory: Int64 = 2_000_000_000

    /// Marks a packet that may begin a flow.
    struct Mark {
        var place: Int
        var packet: LivePacket
        var capturedLength: Int
        var leg: FiveTuple
    }

    private struct Leg {
        var flow: FlowID
        var text: String
        /// Numbers the last file that has a packet which says it; 0 for none.
        var notedIn = 0
        var hasEnded = false
    }

    private var legs: [FiveTuple: Leg] = [:]
    private var ended: [(leg: FiveTuple, flow: FlowID, at: Int64)] = []
    private var file = 1
    /// Counts the legs that no packet of the file has named.
    private var waiting = 0
    private var marks: [FiveTuple: Mark] = [:]
    /// Lists the marks by place; one that was answered is gone from `marks`.
    private var order: [(leg: FiveTuple, place: Int)] = []
    /// Holds what packets that were marked are to say now.
    private var answers: [(mark: Mark, text: String)] = []
    /// Says when the last packet of a known flow came, from `watch` on.
    private(set) var lastSign: Int64 = 0
    private var isWatching = false

    /// Looks at every packet from now on, to know which is the last of a flow.
    mutating func watch(at time: Int64) {
        isWatching = true
        lastSign = time
    }

    /// Says that the packets from now on are in another file, where every leg is named again.
    mutating func beginFile() {
        file += 1
        waiting = legs.count
    }

    /// Looks at a packet, and returns what it is to say.
    mutating func note(
        _ packet: LivePacket,
        _ bytes: RawSpan,
        _ linkType: LinkType,
        at place: Int
    ) -> String? {
        let ends = PacketEnds(bytes, linkType, originalLength: Int(packet.originalLength))
        guard let tuple = ends.tuple else { return nil }
        let begins = ends.flags.map { $0.intersection([.syn, .ack]) == .syn } ?? true
        guard begins || waiting > 0 || isWatching else { return nil }
        let name = tuple.canonical
        guard let index = legs.index(forKey: name) else {
            if begins { mark(name, packet, bytes.byteCount, place) }
            return nil
        }
        if isWatching { lastSign = max(lastSign, packet.timestamp) }
        let leg = legs.values[index]
        if leg.notedIn != file {
            legs.values[index].notedIn = file
            waiting -= 1
            return leg.text
        }
        // The same ports again: the packet may belong to a flow that is not known yet.
        if begins, leg.hasEnded || ends.flags != nil { mark(name, packet, bytes.byteCount, place) }
        return nil
    }

    private mutating func mark(_ leg: FiveTuple, _ packet: LivePacket, _ length: Int, _ place: Int) {
        guard marks[leg] == nil else { return }
        marks[leg] = Mark(place: place, packet: packet, capturedLength: length, leg: leg)
        order.append((leg, place))
    }

    /// Learns of flows.
    mutating func learn(_ records: [FlowRecord]) {
        for record in records {
            let text = record.path.introduction(of: record.flow)
            for leg in record.legs {
                switch record.happening {
                case .closed: end(leg, record)
                default: begin(leg, record.flow, text)
                }
            }
            // A dial that failed was all of its leg.
            if record.transport == .tcp, case .refused = record.happening, let leg = record.serverLeg {
                end(leg, record)
            }
        }
    }

    private mutating func begin(_ name: FiveTuple, _ flow: FlowID, _ text: String) {
        if let known = legs[name] {
            if known.flow == flow { return }
            if known.notedIn != file { waiting -= 1 }
        }
        var leg = Leg(flow: flow, text: text)
        if let mark = marks.removeValue(forKey: name) {
            answers.append((mark, text))
            leg.notedIn = file
        } else {
            waiting += 1
        }
        legs[name] = leg
    }

    private mutating func end(_ name: FiveTuple, _ record: FlowRecord) {
        guard legs[name]?.flow == record.flow else { return }
        legs[name]?.hasEnded = true
        ended.append((name, record.flow, record.moment.wallNanoseconds))
    }

    /// Forgets legs that ended long ago, and marks that have waited long enough.
    ///
    /// - Parameter time: now.
    /// - Returns: the place of the first packet that still waits; nil where none does.
    mutating func settle(at time: Int64) -> Int? {
        if let first = ended.first, time &- first.at > Self.memory {
            let count = ended.firstIndex { time &- $0.at <= Self.memory } ?? ended.count
            for (name, flow, _) in ended[..<count] where legs[name]?.flow == flow {
                if legs.removeValue(forKey: name)?.notedIn != file { waiting -= 1 }
            }
            ended.removeFirst(count)
        }
        let waitsFrom = order.firstIndex { leg, place in
            guard let mark = marks[leg], mark.place == place else { return false }
            return time &- mark.packet.timestamp <= Self.patience
        }
        for (leg, place) in order[..<(waitsFrom ?? order.count)] where marks[leg]?.place == place { marks[leg] = nil }
        order.removeFirst(waitsFrom ?? order.count)
        return order.first?.place
    }

    /// Gives up waiting: no packet is marked any more.
    mutating func giveUp() {
        marks = [:]
        order = []
    }

    /// Takes what packets before a place are to say, in the order of their places.
    mutating func takeAnswers(before place: Int) -> [(mark: Mark, text: String)] {
        guard !answers.isEmpty else { return [] }
        let taken = answers.filter { $0.mark.place < place }
        answers.removeAll { $0.mark.place < place }
        return taken.sorted { $0.mark.place < $1.mark.place }
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
