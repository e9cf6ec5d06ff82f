import Glibc
import WeirWire

/// The port-related contents of a line of the relay's log.
struct PortLogLine {
    enum Event { case opened, dialed, closed, other }

    private(set) var event = Event.other
    private(set) var time: Int64?
    private(set) var flow: UInt64?
    private(set) var transport = Transport.tcp
    private(set) var client: Endpoint?
    private(set) var listener: Endpoint?
    private(set) var egress: Endpoint?
    private(set) var server: Endpoint?

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

    /// Reads the leading keys, up to `server` or the end; nil if the line is not an object with an event.
    init?(_ line: UnsafeRawBufferPointer, _ clock: inout TimestampReader) {
        guard var cursor = JSONCursor(line), cursor.take(UInt8(ascii: "{")) else { return nil }
        var hasEvent = false
        while let key = cursor.string() {
            guard cursor.take(UInt8(ascii: ":")), let value = cursor.value() else { return nil }
            switch PortLogKey(key) {
            case .time: time = clock.read(value)
            case .flow: flow = Self.number(value)
            case .event:
                hasEvent = true
                event = Self.event(value)
                // Most lines of a log have other events, and a chunk's bytes can be long.
                if event == .other { return }
            case .transport: transport = Self.isEqual(value, "udp") ? .udp : .tcp
            case .client: client = Self.endpoint(value)
            case .listener: listener = Self.endpoint(value)
            case .egress: egress = Self.endpoint(value)
            case .server:
                server = Self.endpoint(value)
                // No key after the server is needed.
                if hasEvent { return }
            case nil: break
            }
            guard cursor.take(UInt8(ascii: ",")) else { break }
        }
        guard hasEvent else { return nil }
    }

    private static func event(_ value: UnsafeRawBufferPointer) -> Event {
        if isEqual(value, "open") { return .opened }
        if isEqual(value, "connected") || isEqual(value, "refused") { return .dialed }
        return isEqual(value, "close") ? .closed : .other
    }

    private static func number(_ text: UnsafeRawBufferPointer) -> UInt64? {
        guard !text.isEmpty, text.count < 20 else { return nil }
        var value: UInt64 = 0
        for byte in text {
            guard byte &- 0x30 <= 9 else { return nil }
            value = value &* 10 &+ UInt64(byte & 0xf)
        }
        return value
    }

    private static func endpoint(_ text: UnsafeRawBufferPointer) -> Endpoint? {
        text.withMemoryRebound(to: UInt8.self) { Endpoint(utf8: $0.span) }
    }

    fileprivate static func isEqual(_ text: UnsafeRawBufferPointer, _ other: StaticString) -> Bool {
        guard text.count == other.utf8CodeUnitCount, let base = text.baseAddress else { return false }
        return memcmp(base, other.utf8Start, text.count) == 0
    }
}

/// The keys that are read.
private enum PortLogKey {
    case time, flow, event, transport, client, listener, egress, server

    /// Looks up a key; nil for one that is not read.
    init?(_ text: UnsafeRawBufferPointer) {
        let found: (PortLogKey, StaticString)
        switch (text.count, text.first) {
        case (4, UInt8(ascii: "t")): found = (.time, "time")
        case (4, UInt8(ascii: "f")): found = (.flow, "flow")
        case (5, UInt8(ascii: "e")): found = (.event, "event")
        case (9, UInt8(ascii: "t")): found = (.transport, "transport")
        case (6, UInt8(ascii: "c")): found = (.client, "client")
        case (8, UInt8(ascii: "l")): found = (.listener, "listener")
        case (6, UInt8(ascii: "e")): found = (.egress, "egress")
        case (6, UInt8(ascii: "s")): found = (.server, "server")
        default: return nil
        }
        guard PortLogLine.isEqual(text, found.1) else { return nil }
        self = found.0
    }
}
