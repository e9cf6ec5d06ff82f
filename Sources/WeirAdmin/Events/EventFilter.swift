import WeirAnalysis
import WeirEngine
import WeirWire

/// A filter of events, from the query of `/v1/events`.
struct EventFilter: Sendable {
    /// The names of events that a client can request.
    static let names = [
        "open", "connected", "refused", "data", "message", "end", "end_forwarded", "mismatch", "dropped", "toxic",
        "tls", "tls_failed", "tls_truncated", "tls_bypassed", "tls_unused", "close",
    ]

    var events: Set<String> = []
    var flow: UInt64?
    var direction: Direction?
    var transport: Transport?
    var listeners: [Endpoint] = []
    var wantsBytes = false
    /// A query of which the events must fit, as well as everything else here.
    var query: FlowQuery?

    /// The names of the events that come with every chunk, which a client must request.
    static let frequent: Set<String> = ["data", "message"]

    /// Whether the client wants events that come with every chunk.
    var wantsChunks: Bool { !events.isDisjoint(with: Self.frequent) }
    /// Whether the client wants any other event.
    var wantsFlows: Bool { events.isEmpty || !events.isSubset(of: Self.frequent) }
    /// Whether events that come with every chunk are read, for the client or for the query.
    var readsChunks: Bool { wantsChunks || query?.asksForMessages ?? false }
    /// Whether any other event is read.
    var readsFlows: Bool { wantsFlows || query != nil }

    /// The messages that the client wants, or that the query needs: all of them if it asks for bytes, which messages have.
    var messages: MessageInterest {
        guard events.contains("message") else { return query?.liveMessages ?? .none }
        return query?.asksForMessages ?? false ? .fields : .summaries
    }

    /// The records that the filter needs, without messages.
    var interest: Interest {
        let own: Interest = events.contains("data") ? (wantsBytes ? .bytes : .chunks) : .flows
        return max(own, query?.liveInterest ?? .flows)
    }

    /// Returns whether an event has to be read: with a query, also those from which it learns something.
    func reads(_ event: EventLog.Event) -> Bool { query != nil || takes(event) }

    func takes(_ event: EventLog.Event) -> Bool {
        guard events.isEmpty ? !event.isChunk : events.contains(event.name),
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
