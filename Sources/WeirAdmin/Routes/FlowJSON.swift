import WeirAnalysis
import WeirEngine
import WeirRelay
import WeirWire

/// The JSON form of flows, ports and times in the API.
enum FlowJSON {
    /// Returns the routes' names by their numbers.
    static func names(_ parts: AdminParts) -> [Int: String] {
        Dictionary(uniqueKeysWithValues: parts.relay.routes.map { ($0.number, $0.name) })
    }

    /// Reads a flow's number from the path.
    static func number(_ request: AdminRequest) -> FlowID? {
        UInt64(request.part("flow")).map { FlowID($0) }
    }

    static func flow(_ flow: FlowStatus, _ names: [Int: String]) -> JSONValue {
        [
            "id": .int(flow.id.rawValue), "proxy": .text(names[flow.route]), "transport": .text(flow.transport),
            "phase": .string(flow.phase.rawValue), "opened": .string(time(flow.openedWallNanoseconds)),
            "age_ns": .int(flow.age.inNanoseconds), "idle_ns": .int(flow.idle.inNanoseconds),
            "client": .text(flow.path.client), "listener": .text(flow.path.listener), "egress": .text(flow.path.egress),
            "server": .text(flow.path.server), "upstream": counters(flow.upstream, queued: flow.queuedUpstream),
            "downstream": counters(flow.downstream, queued: flow.queuedDownstream),
        ]
    }

    private static func counters(_ counters: Counters, queued: Int) -> JSONValue {
        [
            "bytes": .int(counters.bytes), "chunks": .int(counters.chunks),
            "dropped_bytes": .int(counters.droppedBytes), "dropped_datagrams": .int(counters.droppedDatagrams),
            "queued_bytes": .int(queued),
        ]
    }

    static func pair(_ pair: PortBook.Pair) -> JSONValue {
        [
            "flow": .int(pair.flow), "transport": .text(pair.transport), "client": .text(pair.path.client),
            "listener": .text(pair.path.listener), "egress": .text(pair.path.egress),
            "server": .text(pair.path.server), "opened": .string(time(pair.openedWallNanoseconds)),
            "open": .bool(pair.isOpen),
        ]
    }

    /// Returns the object of `weir ports --json` for a series of ports.
    static func report(_ report: PortReport) throws(JSONError) -> JSONValue {
        var output = WeirWire.ByteBuffer(capacity: 2048)
        PortsJSON().append(report, to: &output)
        return try JSONParser.parse(output.withUnsafeBytes { Array($0) })
    }

    /// Returns a time, given in ns since 1970 UTC, in the form of RFC 3339.
    static func time(_ nanoseconds: Int64) -> String {
        var timestamp = Timestamp()
        var output = WeirWire.ByteBuffer(capacity: 40)
        timestamp.appendRFC3339(nanoseconds, to: &output)
        return output.string
    }
}

/// The JSON form of the table of toxics.
enum ToxicJSON {
    static func type(_ type: ToxicType) -> JSONValue {
        [
            "name": .string(type.name), "summary": .string(type.summary),
            "transports": .array(type.transports.map { .text($0) }), "fields": .array(type.fields.map(field)),
        ]
    }

    private static func field(_ field: ToxicField) -> JSONValue {
        [
            "name": .string(field.name), "kind": .string(field.kind.rawValue), "unit": .text(field.unit),
            "default": ProxyBook.json(field.default), "minimum": field.range.map { .float($0.lowerBound) } ?? .null,
            "maximum": field.range.map { .float($0.upperBound) } ?? .null, "help": .string(field.help),
        ]
    }
}
