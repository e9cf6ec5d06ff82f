import WeirEngine
public import WeirWire

/// The text and JSON forms of a host's use of its range of ports.
public enum HostUsageText {
    /// The default number of destinations that the text shows.
    public static let destinationsShown = 20

    /// Appends the text: three lines, one for each destination, and the number of those not shown.
    public static func append(
        _ usage: HostUsage,
        destinations shown: Int = destinationsShown,
        to output: inout ByteBuffer
    ) {
        let kept = usage.reserved > 0 ? ", \(usage.reserved) reserved" : ""
        output.append("range \(usage.range): \(PortReasons.count(usage.range.size, "port"))\(kept); ")
        output.append("connect is slow past \(usage.cliff) to one destination\n")
        for transport in Transport.allCases {
            let used = usage.portsInUse[transport] ?? 0
            output.append("\(transport): \(PortReasons.count(used, "port")) in use, \(share(used, usage))")
            let states = (usage.states[transport] ?? [:])
                .sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
            output.append(
                states.isEmpty ? "" : ": " + states.map { "\($0.key.name) \($0.value)" }.joined(separator: ", ")
            )
            output.append("\n")
        }
        for destination in usage.destinations.prefix(shown) { append(destination, usage, to: &output) }
        let more = usage.destinations.count - shown
        if more > 0 { output.append("\(PortReasons.count(more, "destination")) more\n") }
    }

    private static func append(_ destination: HostUsage.Destination, _ usage: HostUsage, to output: inout ByteBuffer) {
        output.append("\(destination.source) -> \(destination.server): ")
        output.append("\(PortReasons.count(destination.ports, "port")), ")
        output.append("\(share(destination.ports, usage)), TIME-WAIT \(destination.timeWait)")
        if let rate = destination.rate, let growth = destination.growth {
            output.append(
                ", \(PortReasons.decimal(rate, places: 1)) new/s, grows \(PortReasons.decimal(growth, places: 1))/s"
            )
        }
        if destination.ports >= usage.cliff {
            output.append(", PAST THE CLIFF")
        } else if let seconds = usage.seconds(until: usage.cliff, destination) {
            output.append(", the cliff in \(Int(min(seconds, 1e9))) s")
        }
        if let seconds = usage.seconds(until: usage.usable, destination), destination.ports < usage.usable {
            output.append(", none left in \(Int(min(seconds, 1e9))) s")
        }
        output.append("\n")
    }

    private static func share(_ ports: Int, _ usage: HostUsage) -> String {
        PortReasons.percent(Double(ports) / Double(usage.usable))
    }

    /// Appends one JSON object and a line feed.
    ///
    /// Keys, in this order: `time`, `range_low`, `range_high`, `reserved`, `cliff`, `tcp` and `udp` (`ports`,
    /// `states`), `destinations` (`source`, `server`, `ports`, `share`, `time_wait`, `first_parity`, `rate`, `growth`,
    /// `cliff_seconds`, `exhausted_seconds`; null if not known, or never). Source: RFC 8259.
    public static func appendJSON(_ usage: HostUsage, at time: Int64, to output: inout ByteBuffer) {
        var timestamp = Timestamp()
        output.appendJSONLine { json in
            json.member("time", time, by: &timestamp)
            json.member("range_low", usage.range.low)
            json.member("range_high", usage.range.high)
            json.member("reserved", usage.reserved)
            json.member("cliff", usage.cliff)
            appendTransport("tcp", .tcp, usage, &json)
            appendTransport("udp", .udp, usage, &json)
            json.array("destinations") { json in
                for destination in usage.destinations { appendDestination(destination, usage, &json) }
            }
        }
    }

    private static func appendTransport(
        _ key: StaticString,
        _ transport: Transport,
        _ usage: HostUsage,
        _ json: inout JSONWriter
    ) {
        json.object(key) { json in
            json.member("ports", usage.portsInUse[transport] ?? 0)
            json.object("states") { json in
                let states = (usage.states[transport] ?? [:]).sorted { $0.key.rawValue < $1.key.rawValue }
                for (state, count) in states { json.member(named: state.name, count) }
            }
        }
    }

    private static func appendDestination(
        _ destination: HostUsage.Destination,
        _ usage: HostUsage,
        _ json: inout JSONWriter
    ) {
        json.object { json in
            json.member("source", destination.source)
            json.member("server", destination.server)
            json.member("ports", destination.ports)
            json.member("share", number(Double(destination.ports) / Double(usage.usable)))
            json.member("time_wait", destination.timeWait)
            json.member("first_parity", destination.firstParity)
            json.member("rate", number(destination.rate))
            json.member("growth", number(destination.growth))
            json.member("cliff_seconds", number(usage.seconds(until: usage.cliff, destination)))
            json.member("exhausted_seconds", number(usage.seconds(until: usage.usable, destination)))
        }
    }

    private static func number(_ value: Double?) -> JSONNumber? {
        value.map { JSONNumber(PortReasons.decimal(min($0, 1e12), places: 3)) }
    }
}
