import WeirFlow
import WeirWire

/// Chooses among events, as the query of `/v1/events` says.
struct EventFilter: Sendable {
    /// Lists the names that can be asked for.
    static let names = [
        "open", "connected", "refused", "data", "end", "end_forwarded", "mismatch", "dropped", "toxic", "close",
    ]

    var events: Set<String> = []
    var flow: UInt64?
    var direction: Direction?
    var transport: Transport?
    var listeners: [Endpoint] = []
    var wantsBytes = false

    /// Whether it wants chunks; nobody gets them without asking.
    var wantsChunks: Bool { events.contains("data") }
    /// Whether it wants anything but chunks.
    var wantsFlows: Bool { events != ["data"] }

    /// What has to be recorded for it.
    var interest: Interest {
        wantsChunks ? (wantsBytes ? .bytes : .chunks) : .flows
    }

    func takes(_ event: EventLog.Event) -> Bool {
        guard events.isEmpty ? event.name != "data" : events.contains(event.name),
            flow ?? event.flow == event.flow, transport ?? event.transport == event.transport
        else { return false }
        if let direction, event.direction != direction { return false }
        guard !listeners.isEmpty else { return true }
        return listeners.contains { listener in
            listener.port == event.path.listener.port
                && (listener.address == event.path.listener.address || listener.address.isUnspecified)
        }
    }
}
