import WeirWire

/// Reads the choices of ports out of the relay's JSON lines: the client's and the relay's own for it.
///
/// A line that says that a flow was opened has both; one that says that a further dial of it succeeded or failed has the
/// relay's for that dial. Other lines, and what is no line of a relay's, are counted and left out. A string with an escape
/// is none that a relay writes in a key that is read here.
public struct PortLog: Sendable {
    /// Counts the lines that opened a flow.
    public private(set) var flows = 0
    /// Counts the lines that were no JSON object of a relay's.
    public private(set) var unknownLines = 0
    /// Holds the egress that each open flow was given last, to tell a further dial.
    private var egress: [UInt64: Endpoint] = [:]

    /// Makes a reader.
    public init() {}

    /// Reads one line without its line feed.
    public mutating func read(_ line: RawSpan, into table: inout PortTable) {
        guard line.byteCount > 0 else { return }
        guard let fields = line.withUnsafeBytes({ PortLogFields($0) }) else {
            unknownLines += 1
            return
        }
        switch fields.event {
        case .opened:
            guard let client = fields.client, let listener = fields.listener else {
                unknownLines += 1
                return
            }
            flows += 1
            table.add(fields.use(by: client, to: listener, .client))
            addEgress(fields, to: &table)
        case .dialed: addEgress(fields, to: &table)
        case .closed: if let flow = fields.flow { egress[flow] = nil }
        case .other: break
        }
    }

    private mutating func addEgress(_ fields: PortLogFields, to table: inout PortTable) {
        guard let flow = fields.flow, let own = fields.egress, let server = fields.server else { return }
        guard egress.updateValue(own, forKey: flow) != own else { return }
        table.add(fields.use(by: own, to: server, .egress))
    }
}

/// Holds what a line of the relay's log says of ports.
private struct PortLogFields {
    enum Event { case opened, dialed, closed, other }

    var event = Event.other
    var time: Int64?
    var flow: UInt64?
    var transport = Transport.tcp
    var client: Endpoint?
    var listener: Endpoint?
    var egress: Endpoint?
    var server: Endpoint?

    func use(by client: Endpoint, to destination: Endpoint, _ side: PortSide) -> PortUse {
        PortUse(
            time: time,
            client: client.address,
            transport: transport,
            side: side,
            destination: destination,
            port: client.port
        )
    }

    /// Reads the keys in front, up to `server` or the end; nil where the line is no object with an event.
    init?(_ line: UnsafeRawBufferPointer) {
        var cursor = JSONCursor(line)
        guard cursor.take(UInt8(ascii: "{")) else { return nil }
        var hasEvent = false
        while let key = cursor.string() {
            guard cursor.take(UInt8(ascii: ":")) else { return nil }
            let value = cursor.value()
            guard let value else { return nil }
            take(key, value, of: cursor, &hasEvent)
            // Nothing behind the server is of interest, and a chunk's bytes can be long; most lines end at the event.
            if hasEvent, event == .other || cursor.isEqual(key, "server") { break }
            guard cursor.take(UInt8(ascii: ",")) else { break }
        }
        guard hasEvent else { return nil }
    }

    private mutating func take(_ key: Range<Int>, _ value: Range<Int>, of cursor: JSONCursor, _ hasEvent: inout Bool) {
        if cursor.isEqual(key, "time") {
            time = cursor.time(value)
        } else if cursor.isEqual(key, "flow") {
            flow = cursor.number(value)
        } else if cursor.isEqual(key, "event") {
            hasEvent = true
            if cursor.isEqual(value, "open") {
                event = .opened
            } else if cursor.isEqual(value, "connected") || cursor.isEqual(value, "refused") {
                event = .dialed
            } else if cursor.isEqual(value, "close") {
                event = .closed
            }
        } else if cursor.isEqual(key, "transport") {
            transport = cursor.isEqual(value, "udp") ? .udp : .tcp
        } else if cursor.isEqual(key, "client") {
            client = cursor.endpoint(value)
        } else if cursor.isEqual(key, "listener") {
            listener = cursor.endpoint(value)
        } else if cursor.isEqual(key, "egress") {
            egress = cursor.endpoint(value)
        } else if cursor.isEqual(key, "server") {
            server = cursor.endpoint(value)
        }
    }
}

/// Walks over the keys and values of a flat JSON object.
///
/// Source: RFC 8259.
private struct JSONCursor {
    private let bytes: UnsafeRawBufferPointer
    private var place = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    private mutating func skipBlanks() {
        while place < bytes.count, [0x20, 0x09, 0x0d].contains(bytes[place]) { place += 1 }
    }

    /// Takes one character if it is the next one.
    mutating func take(_ character: UInt8) -> Bool {
        skipBlanks()
        guard place < bytes.count, bytes[place] == character else { return false }
        place += 1
        return true
    }

    /// Takes a string, and returns the range between its quotes; nil where none begins here, or it has no end.
    mutating func string() -> Range<Int>? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        let start = place
        while place < bytes.count {
            switch bytes[place] {
            case UInt8(ascii: "\""):
                place += 1
                return start..<(place - 1)
            case UInt8(ascii: "\\"): place += 2
            default: place += 1
            }
        }
        return nil
    }

    /// Takes a string, a number, an object or a word, and returns its range, that of a string without the quotes.
    mutating func value() -> Range<Int>? {
        skipBlanks()
        guard place < bytes.count else { return nil }
        if bytes[place] == UInt8(ascii: "\"") { return string() }
        let start = place
        var depth = 0
        while place < bytes.count {
            switch bytes[place] {
            case UInt8(ascii: "\""):
                guard string() != nil else { return nil }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return start..<place }
                depth -= 1
            case UInt8(ascii: ","): if depth == 0 { return start..<place }
            default: break
            }
            place += 1
        }
        return nil
    }

    func isEqual(_ range: Range<Int>, _ text: StaticString) -> Bool {
        guard range.count == text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { $0.elementsEqual(UnsafeRawBufferPointer(rebasing: bytes[range])) }
    }

    func number(_ range: Range<Int>) -> UInt64? {
        guard !range.isEmpty, range.count < 20 else { return nil }
        var value: UInt64 = 0
        for byte in bytes[range] {
            guard (0x30...0x39).contains(byte) else { return nil }
            value = value &* 10 &+ UInt64(byte & 0xf)
        }
        return value
    }

    func endpoint(_ range: Range<Int>) -> Endpoint? {
        UnsafeRawBufferPointer(rebasing: bytes[range]).withMemoryRebound(to: UInt8.self) { Endpoint(utf8: $0.span) }
    }

    /// Reads a time in UTC, `2026-11-22T12:31:07.104218394Z`, in nanoseconds since 1970.
    ///
    /// Source: RFC 3339 section 5.6; H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
    func time(_ range: Range<Int>) -> Int64? {
        let start = range.lowerBound
        func field(_ offset: Int, _ digits: Int) -> Int64? {
            guard offset + digits <= range.count else { return nil }
            return number((start + offset)..<(start + offset + digits)).map { Int64($0) }
        }
        guard range.count >= 20, bytes[range.upperBound - 1] == UInt8(ascii: "Z"), let year = field(0, 4),
            let month = field(5, 2), let day = field(8, 2), let hour = field(11, 2), let minute = field(14, 2),
            let second = field(17, 2), (1...12).contains(month)
        else { return nil }
        let (shifted, monthFromMarch) = (month <= 2 ? year - 1 : year, (month + 9) % 12)
        let yearOfEra = shifted % 400
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + (153 * monthFromMarch + 2) / 5 + day - 1
        let days = shifted / 400 * 146_097 + dayOfEra - 719_468
        let digits = range.count - 21
        guard digits <= 9 else { return nil }
        var fraction = digits > 0 ? field(20, digits) : 0
        for _ in max(0, digits)..<9 { fraction = fraction.map { $0 * 10 } }
        return fraction.map { (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000_000 + $0 }
    }
}
