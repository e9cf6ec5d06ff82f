import WeirWire

/// A reader of port choices from the relay's JSON lines: the client's and the relay's own for it.
///
/// A line about the opening of a flow has both; a line about the success or failure of a further dial has the relay's
/// for that dial. Other lines, and lines that are not from a relay, are counted and ignored. A relay writes no string
/// with an escape in the keys that are read here.
///
/// Repeated lines that open the same flow for the same client are one choice, even after the flow's end if their times
/// are the same: overlapping logs may follow each other. A restarted relay numbers its flows from 1 again.
///
/// A flow costs 16 bytes besides what `PortTable` keeps of it; with a number from 2^22 on it costs 32 to 64 bytes,
/// until it ends.
public struct PortLog: Sendable {
    /// The number of lines that are not empty.
    public private(set) var lines = 0
    /// The number of lines that opened a flow.
    public private(set) var flows = 0
    /// The number of lines that were not a relay's JSON objects.
    public private(set) var unknownLines = 0
    /// The number of the first such line, from 1; nil if there is none.
    public private(set) var firstUnknown: Int?
    private var number = 0
    private var clock = TimestampReader()
    /// The latest egress of each open flow, to detect a further dial.
    private var egress = FlowMarks()
    /// The client and time of each flow's opening, to detect a repeated record.
    private var openings = FlowMarks()

    /// Creates a reader.
    public init() {}

    /// Reads one line without its line feed.
    public mutating func read(_ line: RawSpan, into table: inout PortTable) {
        number += 1
        guard line.byteCount > 0 else { return }
        lines += 1
        guard let fields = line.withUnsafeBytes({ PortLogLine($0, &clock) }) else { return noteUnknown() }
        switch fields.event {
        case .opened:
            guard let client = fields.client, let listener = fields.listener else { return noteUnknown() }
            open(fields, for: client, at: listener, &table)
        case .dialed:
            // An ended flow is not dialed any more: the log repeats here.
            guard fields.flow.map({ !Opening.hasEnded(openings[$0]) }) ?? false else { break }
            addEgress(fields, to: &table)
        case .closed:
            guard let flow = fields.flow else { break }
            egress.forget(flow)
            openings.end(flow)
        case .other: break
        }
    }

    /// Counts a line that was too long to be kept.
    mutating func skipLine() {
        number += 1
        lines += 1
        noteUnknown()
    }

    private mutating func open(
        _ fields: PortLogLine,
        for client: Endpoint,
        at listener: Endpoint,
        _ table: inout PortTable
    ) {
        var isRepeated = false
        if let flow = fields.flow {
            let opening = Opening(client: Self.mark(client), time: fields.time)
            let before = openings.replace(flow, by: opening.word)
            isRepeated = opening.isRepeated(of: before)
            // A flow that has ended has no dials left.
            if isRepeated, !Opening.isOpen(before) { return openings.end(flow) }
        }
        if !isRepeated {
            flows += 1
            // A client that was never connected has no port.
            if client.port != 0 { table.add(fields.use(by: client, to: listener, .client)) }
        }
        addEgress(fields, to: &table)
    }

    private mutating func noteUnknown() {
        unknownLines += 1
        if firstUnknown == nil { firstUnknown = number }
    }

    private mutating func addEgress(_ fields: PortLogLine, to table: inout PortTable) {
        guard let flow = fields.flow, let own = fields.egress, let server = fields.server else { return }
        let mark = Self.mark(own)
        guard egress.replace(flow, by: mark) != mark else { return }
        table.add(fields.use(by: own, to: server, .egress))
    }

    /// Returns a mark that tells the endpoints of one flow apart: always for IPv4, for IPv6 except 1 in 2^48.
    private static func mark(_ endpoint: Endpoint) -> UInt64 {
        let address = endpoint.address
        guard !address.isV4 else { return UInt64(address.v4) << 16 | UInt64(endpoint.port) }
        let folded = (address.high &* 0x9e37_79b9_7f4a_7c15 ^ address.low) &* 0xbf58_476d_1ce4_e5b9
        return folded << 16 | UInt64(endpoint.port)
    }
}

/// The client and time of a flow's opening, in a word: 32 bits for the client, 31 for the time, 1 for an open flow.
private struct Opening {
    let word: UInt64

    init(client: UInt64, time: Int64?) {
        let client = (client &* 0x9e37_79b9_7f4a_7c15) >> 32
        let time = (UInt64(bitPattern: time ?? 0) &* 0xbf58_476d_1ce4_e5b9) >> 33
        word = client << 32 | time << 1 | 1
    }

    static func isOpen(_ word: UInt64) -> Bool { word & 1 == 1 }

    static func hasEnded(_ word: UInt64) -> Bool { word != 0 && !isOpen(word) }

    /// Returns whether another word is of the same flow: the clients are the same, and if it has ended since, the times
    /// too.
    func isRepeated(of other: UInt64) -> Bool {
        guard other != 0 else { return false }
        return Self.isOpen(other) ? word >> 32 == other >> 32 : word >> 1 == other >> 1
    }
}

/// A number for each flow, kept in a table because flows are numbered from 1, and a log can have millions.
private struct FlowMarks {
    private static let tableSize: UInt64 = 1 << 22

    private var table: [UInt64] = []
    private var others: [UInt64: UInt64] = [:]

    /// The mark of a flow; 0 if there is none.
    subscript(flow: UInt64) -> UInt64 {
        guard flow < Self.tableSize else { return others[flow] ?? 0 }
        return Int(flow) < table.count ? table[Int(flow)] : 0
    }

    /// Sets a mark, and returns the previous one; 0 if there was none.
    mutating func replace(_ flow: UInt64, by mark: UInt64) -> UInt64 {
        guard flow < Self.tableSize else { return others.updateValue(mark, forKey: flow) ?? 0 }
        let place = Int(flow)
        if place >= table.count {
            table += [UInt64](repeating: 0, count: max(place + 1, 2 * table.count, 1024) - table.count)
        }
        defer { table[place] = mark }
        return table[place]
    }

    mutating func forget(_ flow: UInt64) {
        if flow >= Self.tableSize {
            others[flow] = nil
        } else if Int(flow) < table.count {
            table[Int(flow)] = 0
        }
    }

    /// Clears the last bit of a flow's mark; a flow with a great number is forgotten.
    mutating func end(_ flow: UInt64) {
        if flow >= Self.tableSize {
            others[flow] = nil
        } else if Int(flow) < table.count {
            table[Int(flow)] &= ~1
        }
    }
}
