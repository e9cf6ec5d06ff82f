public import WeirDissect
public import WeirWire

/// The statistics of the flows of a capture, and of the requests in them.
///
/// All flows are counted, both legs of those that Weir recorded; whoever shows them leaves out the second leg.
public struct TrafficStats: Sendable {
    /// The statistics of one flow.
    public struct Flow: Sendable {
        /// The protocol of its messages, or of those that were decrypted; nil if none was read.
        public var name: String?
        /// Whether it is the protocol of decrypted messages.
        var isDecrypted = false
        /// The number of bytes of payload from the client, each counted once.
        public var payloadUp = 0
        /// The number of bytes of payload from the server, each counted once.
        public var payloadDown = 0
        /// The delays of answers, from the last byte of a request to the first of its answer.
        public var answers = DelayDistribution()
        /// The time of the client's first SYN, in nanoseconds since 1970 UTC; nil if it is not known.
        var syn: Int64?
        /// The time of the server's answer to it.
        var accepted: Int64?
        /// The time of the server's first byte.
        var firstByte: Int64?

        /// The time from the client's SYN to the server's answer, in nanoseconds; nil if they were not captured.
        public var dial: Int64? {
            guard let syn, let accepted else { return nil }
            return max(accepted &- syn, 0)
        }

        /// Returns the time from a flow's first packet to the server's first byte, in nanoseconds; nil if there is
        /// none.
        public func firstByte(of flow: ObservedFlow) -> Int64? {
            guard let firstByte, let start = flow.start else { return nil }
            return max(firstByte &- start, 0)
        }
    }

    /// The statistics of the requests of one kind.
    package struct Kind: Sendable {
        /// The number of requests.
        package var requests = 0
        /// The number of answers that say that something went wrong.
        package var failures = 0
        /// The delays of the answers.
        package var answers = DelayDistribution()
        /// The number of bytes of the requests.
        package var bytesUp = 0
        /// The number of bytes of the answers.
        package var bytesDown = 0
    }

    /// A request that has no answer yet.
    private struct Open: Sendable {
        var kind: RequestKind
        var direction: Direction
        var offset: Int
    }

    private var flows: [Flow] = []
    private var open: [Int: [Open]] = [:]
    private var byPlace: [Int: [RequestKind: Kind]] = [:]
    private var kindCount = 0
    private static let openLimit = 128
    /// The maximum number of kinds, those of different flows counted apart.
    private let kindLimit: Int

    /// Creates the statistics of no flow.
    public init() { self.init(kindLimit: 1 << 18) }

    init(kindLimit: Int) { self.kindLimit = kindLimit }

    /// Returns the statistics of the flow at a place in the table.
    public func flow(_ place: Int) -> Flow { place < flows.count ? flows[place] : Flow() }

    /// Returns the kinds of requests in the flow at a place, with their statistics.
    package func kinds(_ place: Int) -> [RequestKind: Kind] { byPlace[place] ?? [:] }

    /// Counts a packet that was already added to the flows.
    public mutating func add(_ packet: CapturedPacket, in flows: borrowing CaptureFlows) {
        if let place = flows.tcp, let segment = flows.packet.tcp?.streamSegment {
            change(place, flows.table[place.index]) { $0.add(segment, place.direction, at: packet.timestamp) }
        }
        if let place = flows.udp {
            change(place, flows.table[place.index]) { $0.addDatagram(place.direction, at: packet.timestamp) }
        }
        for place in flows.innerUDP {
            guard let place else { continue }
            change(place, flows.table[place.index]) { $0.addDatagram(place.direction, at: packet.timestamp) }
        }
    }

    private mutating func change(_ place: FlowTable.Place, _ counted: ObservedFlow, _ body: (inout Flow) -> Void) {
        makeRoom(place.index)
        if place.hasTurned {
            flows[place.index].turn()
            open[place.index] = nil
        }
        body(&flows[place.index])
        (flows[place.index].payloadUp, flows[place.index].payloadDown) = (counted.payloadUp, counted.payloadDown)
    }

    private mutating func makeRoom(_ place: Int) {
        if place >= flows.count { flows += Array(repeating: Flow(), count: place + 1 - flows.count) }
    }

    /// Counts a message of the flow at a place.
    public mutating func add(_ message: Message, of place: Int) {
        guard !message.isUnfinished else { return }
        makeRoom(place)
        if flows[place].name == nil || message.isDecrypted && !flows[place].isDecrypted {
            flows[place].name = message.name.description
            flows[place].isDecrypted = message.isDecrypted
        }
        if let kind = RequestKind(message) { begin(kind, message, place) } else { answer(message, place) }
    }

    private mutating func begin(_ kind: RequestKind, _ message: Message, _ place: Int) {
        var kind = kind
        if byPlace[place]?[kind] == nil {
            if kindCount >= kindLimit { kind = .others } else { kindCount += 1 }
        }
        byPlace[place, default: [:]][kind, default: Kind()].requests += 1
        byPlace[place]?[kind]?.bytesUp += message.range.count
        var requests = open.removeValue(forKey: place) ?? []
        if requests.count == Self.openLimit { requests.removeFirst() }
        requests.append(Open(kind: kind, direction: message.direction, offset: message.range.lowerBound))
        open[place] = requests
    }

    private mutating func answer(_ message: Message, _ place: Int) {
        guard var requests = open.removeValue(forKey: place) else { return }
        defer { if !requests.isEmpty { open[place] = requests } }
        if let answer = message.answer {
            let direction = message.direction.opposite
            let found = requests.firstIndex {
                $0.direction == direction && $0.offset == answer.request && $0.kind.isAnswered(by: message)
            }
            let index = found ?? requests.firstIndex { $0.direction == direction && $0.offset == answer.request }
            guard let index else { return }
            count(message, answer.delay, requests[index].kind, place)
            // Datagrams have no offsets, and their answers come in any order.
            requests.remove(at: index)
        } else if message.name.description == "postgresql", message.direction == .downstream {
            // Rows and columns go before the answer, which says what was done.
            if let first = requests.first { byPlace[place]?[first.kind]?.bytesDown += message.range.count }
        }
    }

    private mutating func count(_ message: Message, _ delay: Int64?, _ kind: RequestKind, _ place: Int) {
        byPlace[place]?[kind]?.bytesDown += message.range.count
        if message.isError { byPlace[place]?[kind]?.failures += 1 }
        guard let delay else { return }
        byPlace[place]?[kind]?.answers.add(delay)
        flows[place].answers.add(delay)
    }
}

extension RequestKind {
    /// Returns whether an answer can be that of a request of this kind: that of DNS repeats the type of the question.
    fileprivate func isAnswered(by message: Message) -> Bool {
        guard name == "dns" else { return true }
        return message.summary.string.split(separator: " ", maxSplits: 2).dropFirst().first.map { $0 == request }
            ?? true
    }
}

extension TrafficStats.Flow {
    fileprivate mutating func add(_ segment: StreamSegment, _ direction: Direction, at time: Int64?) {
        let isSYN = segment.flags.contains(.syn)
        if isSYN, direction == .upstream, syn == nil { syn = time }
        if isSYN, direction == .downstream, segment.flags.contains(.ack), accepted == nil { accepted = time }
        if segment.length > 0, direction == .downstream, firstByte == nil { firstByte = time }
    }

    fileprivate mutating func addDatagram(_ direction: Direction, at time: Int64?) {
        if direction == .downstream, firstByte == nil { firstByte = time }
    }

    fileprivate mutating func turn() { (syn, accepted, firstByte) = (nil, nil, nil) }
}
