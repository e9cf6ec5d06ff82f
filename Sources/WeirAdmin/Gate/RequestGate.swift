import WeirRelay

/// What the routes of the API work with, once the relay runs.
struct AdminParts: Sendable {
    let relay: Supervisor
    let proxies: ProxyBook
    let events: EventLog
    let recordings: Recordings
    let settings: AdminSettings
    let started = SystemClock.now()
}

/// A waiting room for requests: it holds them until there is a relay, and closes with it.
final class RequestGate: Sendable {
    private struct State {
        var parts: AdminParts?
        var isClosed = false
        var waiting: [CheckedContinuation<AdminParts?, Never>] = []
    }

    let settings: AdminSettings
    let events: EventLog
    private let state = Lock(State())

    init(_ settings: AdminSettings) {
        self.settings = settings
        events = EventLog()
    }

    /// Returns what the routes work with, and waits for it.
    ///
    /// - Throws: `AnswerError` if the API has ended.
    func ready() async throws -> AdminParts {
        if let parts = state.withLock({ $0.parts }) { return parts }
        let parts = await withCheckedContinuation { continuation in
            let known: AdminParts?? = state.withLock { state in
                if let parts = state.parts { return .some(parts) }
                if state.isClosed { return .some(nil) }
                state.waiting.append(continuation)
                return nil
            }
            if let known { continuation.resume(returning: known) }
        }
        guard let parts else { throw AnswerError.problem(503, "the relay is stopping") }
        return parts
    }

    /// Opens the API with a relay, and lets the waiting requests in.
    func open(_ relay: Supervisor, _ report: @escaping @Sendable (String) -> Void) async {
        let parts = AdminParts(
            relay: relay,
            proxies: ProxyBook(relay, report: report),
            events: events,
            recordings: Recordings(relay, settings),
            settings: settings
        )
        events.whenInterestChanges { Task { await relay.reconsiderOutputs() } }
        let waiting = state.withLock { state in
            state.parts = parts
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume(returning: parts) }
    }

    /// Lets no more requests in, and ends the streams of events.
    func close() async {
        let waiting = state.withLock { state in
            state.isClosed = true
            state.parts = nil
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume(returning: nil) }
        events.close()
    }
}
