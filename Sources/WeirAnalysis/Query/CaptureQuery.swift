public import WeirDissect
import WeirEngine
public import WeirWire

/// A query of a capture's flows, messages or packets, while the capture is read.
///
/// Each packet is given to `add`, after it was added to the flows. Then `matchesPacket` says whether the packet fits, and at
/// the end, after `finish`, `matches` whether a flow does. A view of messages gives them to `take` in their order.
public struct CaptureQuery: ~Copyable, Sendable {
    /// The query.
    public let query: FlowQuery
    private let readsMessages: Bool
    private var dissector = CaptureDissector(wantsFields: false)
    private var feed = PayloadFeed()
    private var notes: QueryNotes

    /// Creates a query that has seen no packet.
    ///
    /// - Parameters:
    ///   - query: The query.
    ///   - readsMessages: Whether messages are read here, if the query needs them; otherwise `take` gets those of a view.
    public init(_ query: FlowQuery, readsMessages: Bool = true) {
        self.query = query
        self.readsMessages = readsMessages && query.needs.contains(.messages)
        notes = QueryNotes(query)
    }

    /// Whether all packets must be given to `add`; otherwise the flows alone decide.
    public var needsPackets: Bool { readsMessages || notes.searches }

    /// Reads the comments of a packet that begins flows.
    public mutating func begin(_ comments: [String], in flows: borrowing CaptureFlows, _ rows: FlowRows) {
        for place in [flows.tcp, flows.udp] + flows.innerUDP {
            guard let place, place.isNew else { continue }
            if readsMessages { dissector.begin(place, rows) }
            guard query.needs.contains(.process) else { continue }
            for comment in comments {
                if let process = ClientProcess.name(inComment: comment) { notes.processes[place.index] = process }
            }
        }
    }

    /// Adds a packet that was already added to the flows.
    public mutating func add(_ packet: CapturedPacket, _ bytes: RawSpan, in flows: borrowing CaptureFlows) {
        notes.begin(flows)
        if notes.searches { Self.search(packet, bytes, in: flows, &feed, &notes) }
        if readsMessages { Self.read(packet, bytes, in: flows, &dissector, &notes) }
    }

    /// Adds a message of the flow at a place, which a log has in place of bytes.
    public mutating func add(_ message: Message, of place: Int) { notes.note(message, of: place, nil) }

    /// Takes a message that a view read from the last packet.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - row: Its flow.
    ///   - receiver: Receives the messages to show: this one, and the request that it answers, which has waited for it.
    public mutating func take(_ message: Message, of row: FlowRow, to receiver: (Message) -> Void) {
        notes.note(message, of: row.place, row, to: receiver)
    }

    /// Ends the reading.
    public mutating func finish() {
        if readsMessages { Self.finish(&dissector, &notes) }
        if notes.searches { Self.finish(&feed, &notes) }
        notes.finish()
    }

    /// Gives the requests that nobody answered, if they fit, with the places of their flows.
    public mutating func finish(_ row: (Int) -> FlowRow, to receiver: (Int, Message) -> Void) {
        notes.finish(row, to: receiver)
    }

    /// Returns whether the last packet fits, as one of a flow that it belongs to.
    public func matchesPacket(_ row: FlowRow) -> Bool { notes.matchesPacket(row) }

    /// Returns whether a request with its answer fits, which a view read together.
    public mutating func matches(_ exchange: HTTPExchange, of row: FlowRow) -> Bool {
        notes.matches(exchange.request?.message, exchange.answer?.message, of: row)
    }

    /// Returns whether a flow fits by its endpoints and its bytes so far, without any message.
    public func matchesWithoutMessages(_ row: FlowRow) -> Bool { notes.matches(row, isFailure: false) }

    /// Returns whether the failure of a flow fits: that it was refused, not answered or reset.
    ///
    /// It is an error of the protocols that the flow speaks, but has no status, path or time.
    public func matchesFailure(_ row: FlowRow) -> Bool { notes.matches(row, isFailure: true) }

    /// Returns whether a flow fits, after everything was read.
    public func matches(_ row: FlowRow) -> Bool { notes.matches(row) }

    // MARK: - Lending

    private static func search(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        _ feed: inout PayloadFeed,
        _ notes: inout QueryNotes
    ) {
        feed.add(packet, bytes, in: flows) { notes.look($0, $1) }
    }

    private static func read(
        _ packet: CapturedPacket,
        _ bytes: RawSpan,
        in flows: borrowing CaptureFlows,
        _ dissector: inout CaptureDissector,
        _ notes: inout QueryNotes
    ) {
        dissector.add(packet, bytes, in: flows) { notes.note($1, of: $0, nil) }
    }

    private static func finish(_ dissector: inout CaptureDissector, _ notes: inout QueryNotes) {
        dissector.finish { notes.note($1, of: $0, nil) }
    }

    private static func finish(_ feed: inout PayloadFeed, _ notes: inout QueryNotes) {
        feed.finish { notes.look($0, $1) }
    }
}

extension ClientProcess {
    /// Returns the name of the process in the comment on the first packet of a flow, `...; process curl/4711 user alice`.
    static func name(inComment comment: String) -> String? {
        guard let label = comment.firstRange(of: "; process "),
            let word = comment[label.upperBound...].split(separator: " ").first,
            let slash = word.lastIndex(of: "/")
        else { return nil }
        return unescaped(word[..<slash])
    }

    /// Reads what `plain` escaped: `Web\x20Content`.
    private static func unescaped(_ text: Substring) -> String {
        var (bytes, rest) = ([UInt8](), Array(text.utf8)[...])
        while let byte = rest.first {
            if rest.starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "x")]),
                let value = UInt8(String(decoding: rest.dropFirst(2).prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(4)
            } else {
                bytes.append(byte)
                rest = rest.dropFirst()
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
