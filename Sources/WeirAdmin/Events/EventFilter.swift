import WeirEngine
import WeirWire

/// A filter of events, from the query of `/v1/events`.
struct EventFilter: Sendable {
    /// The names of events that a client can request.
    static let names = [
        "open", "connected", "refused", "data", "end", "end_forwarded", "mismatch", "dropped", "toxic", "close",
    ]

    var events: Set<String> = []
    var flow: UInt64?
    var direction: Direction?
    var transport: Transport?
    var listeners: [Endpoint] = []
    var wantsBytes = false

    /// Whether the client wants chunks, which it must request.
    var wantsChunks: Bool { events.contains("data") }
    /// Whether the client wants anything but chunks.
    var wantsFlows: Bool { events != ["data"] }

    /// The records that the filter needs.
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
