import WeirAnalysis
import WeirEngine
import WeirRelay
import WeirWire

/// The route that streams events as they happen.
///
/// Source: WHATWG HTML, section 9.2, "Server-sent events".
enum EventRoutes {
    static let all: [AdminRoute] = [events]

    private static let parameters: [AdminRoute.Parameter] = [
        AdminRoute.Parameter(
            name: "event",
            help: "Takes only these, separated by commas; without it all but `data` and `message`.",
            schema: Schemas.string
        ),
        AdminRoute.Parameter(
            name: "flow",
            help: "Takes only this flow's.",
            schema: ["type": "integer", "minimum": 1, "maximum": .int(Int.max)]
        ),
        AdminRoute.Parameter(
            name: "direction",
            help: "Takes only what runs this way.",
            schema: Schemas.oneOf(["upstream", "downstream"])
        ),
        V1Routes.transport, V1Routes.proxy,
        AdminRoute.Parameter(
            name: "bytes",
            help: "Shows the bytes of chunks, in base64.",
            schema: Schemas.oneOf(["true", "false"])
        ),
        AdminRoute.Parameter(
            name: "query",
            help:
                "Takes only what fits a query, in the language of `weir show --where`, such as `http and status >= 400`. "
                + "A request that fits because of its answer comes before it, without an id. What only a flow's end tells "
                + "shows its first event and its last.",
            schema: Schemas.string
        ),
        AdminRoute.Parameter(
            name: "after",
            help: "Begins behind the event of this id or number; 0 begins with the oldest that is kept.",
            schema: ["type": "string", "pattern": .string(EventID.pattern)]
        ),
        AdminRoute.Parameter(
            name: "limit",
            help: "Ends the stream after so many events.",
            schema: ["type": "integer", "minimum": 1, "maximum": 1_000_000]
        ),
        AdminRoute.Parameter(
            name: "Last-Event-ID",
            help: "The id of the last event that the client knows, which browsers send; goes before `after`.",
            schema: Schemas.string,
            isHeader: true
        ),
    ]

    private static let events = AdminRoute(
        .weir,
        "GET",
        "/v1/events",
        "streamEvents",
        "Streams what happens to flows, as server-sent events whose data are the objects of `weir relay --log`. An id is "
            + "the relay's instance, as in /v1/health, and a number. `restart` comes first for a client whose id another "
            + "instance gave; `lost` says how many events are gone, of `flows` and of `chunks`.",
        parameters: parameters,
        answers: [
            AdminRoute.Answer(status: 200, help: "The stream.", type: "text/event-stream", schema: Schemas.string),
            V1Routes.badRequest, V1Routes.problem(404, "There is no such proxy."),
            V1Routes.problem(503, "Too many streams are open."),
        ]
    ) { request, parts in
        let query = QueryReader(request)
        let filter = try await filter(request, query, parts)
        let limit = try query.integer("limit", 1...1_000_000)
        let known = try known(request)
        let log = parts.events
        guard let place = log.listen(filter.interest, messages: filter.messages, bound: parts.settings.maxStreams)
        else {
            throw AnswerError.problem(503, "too many streams of events are open")
        }
        if request.method == "HEAD" { log.leave(place) }
        let (cursor, isRestart) = place.start(known, in: log.instance)
        let stream = EventStream(
            log: log,
            place: place,
            filter: filter,
            cursor: cursor,
            isRestart: isRestart,
            left: limit,
            query: filter.query.map { query in
                EventQuery(query) { transport, listener in parts.proxies.name(transport, listener) }
            }
        )
        return AdminAnswer(
            status: 200,
            headers: [("content-type", "text/event-stream")],
            body: .stream { try await stream.run($0) }
        )
    }

    /// Returns the event that the client says it knows.
    private static func known(_ request: AdminRequest) throws(AnswerError) -> EventID? {
        // A text that is no ID of Weir's is another program's.
        if let last = request.header("last-event-id"), !last.isEmpty {
            return EventID(last) ?? EventID(instance: last, number: 0)
        }
        guard let text = request.parameter("after") else { return nil }
        guard let id = EventID(text) else { throw .problem(400, "'after' takes the id of an event, or its number") }
        return id
    }

    private static func query(_ text: String) throws(AnswerError) -> FlowQuery {
        let query: FlowQuery
        do throws(FlowQueryError) {
            query = try FlowQuery(parsing: text)
        } catch {
            throw .problem(400, "'query': \(error.explanation)")
        }
        if query.needs.contains(.packets) {
            throw .problem(400, "'query': a relay sees no packets; ask for bytes, bytes_up or bytes_down")
        }
        return query
    }

    private static func filter(
        _ request: AdminRequest,
        _ query: QueryReader,
        _ parts: AdminParts
    ) async throws -> EventFilter {
        var filter = EventFilter()
        for name in (request.parameter("event") ?? "").split(separator: ",") {
            guard EventFilter.names.contains(String(name)) else {
                throw AnswerError.problem(400, "'event' takes \(EventFilter.names.joined(separator: ", "))")
            }
            filter.events.insert(String(name))
        }
        filter.flow = try query.integer("flow", 1...Int.max).map(UInt64.init)
        filter.transport = try query.transport()
        filter.direction = try query.choice("direction", ["upstream", "downstream"]).flatMap(ProxyBook.direction)
        filter.wantsBytes = try query.choice("bytes", ["true", "false"]) == "true"
        if let text = request.parameter("query") { filter.query = try Self.query(text) }
        if let name = request.parameter("proxy") {
            filter.listeners = try parts.proxies.route(name).endpoints
        }
        return filter
    }
}

/// The stream of events to one client.
struct EventStream: Sendable {
    private static let silence = Duration.seconds(5)

    let log: EventLog
    let place: EventLog.Place
    let filter: EventFilter
    let cursor: EventLog.Cursor
    /// Whether the client knows another relay's events.
    let isRestart: Bool
    let left: Int?
    /// The choice of events that fit a query; nil if all that the filter takes are sent.
    var query: EventQuery?

    /// Sends until the client disconnects, the log is closed, or the wanted number of events is sent.
    func run(_ writer: any AnswerWriter) async throws {
        // A comment to a silent client finds out whether it is still there.
        let ring = place.ring
        let ticks = Task {
            while !Task.isCancelled {
                try await Task.sleep(for: Self.silence)
                ring.yield()
            }
        }
        defer {
            ticks.cancel()
            log.leave(place)
        }
        try await writer.write(Array(": weir\nretry: 1000\n\n".utf8))
        if isRestart {
            let data: JSONValue = ["event": "restart", "instance": .string(log.instance)]
            try await writer.write(Array("id: \(log.instance)-0\nevent: restart\ndata: \(data.text)\n\n".utf8))
        }
        var cursor = cursor
        var left = left ?? .max
        var query = query
        ring.yield()
        for await _ in place.bell {
            var isSilent = true
            while left > 0 {
                let before = cursor.last
                let (events, loss) = log.events(&cursor, limit: min(256, left), for: filter)
                guard cursor.last > before else { break }
                let chosen = Array(choose(events, &query).prefix(left))
                let output = render(chosen, loss)
                left -= chosen.count
                guard !output.isEmpty else { continue }
                isSilent = false
                try await writer.write(output)
            }
            guard left > 0 else { return }
            if isSilent { try await writer.write(Array(":\n\n".utf8)) }
        }
    }

    /// Returns the events to send: those that fit the query, and that the filter takes.
    private func choose(_ events: [EventLog.Event], _ query: inout EventQuery?) -> [EventQuery.Chosen] {
        guard query != nil else { return events.map { EventQuery.Chosen(event: $0) } }
        var chosen: [EventQuery.Chosen] = []
        for event in events { chosen += query?.take(event) ?? [] }
        return chosen.filter { filter.takes($0.event) }
    }

    private func render(_ events: [EventQuery.Chosen], _ loss: EventLog.Loss) -> [UInt8] {
        var output: [UInt8] = []
        if loss.total > 0 {
            let data: JSONValue = [
                "event": "lost", "events": .int(loss.total), "flows": .int(loss.flows), "chunks": .int(loss.chunks),
            ]
            output += "event: lost\ndata: \(data.text)\n\n".utf8
        }
        for chosen in events {
            let event = chosen.event
            // The id is that from which a client goes on, so it never goes back.
            if !chosen.isLate { output += "id: \(log.instance)-\(event.id)\n".utf8 }
            output += "event: \(event.name)\ndata: ".utf8
            output += filter.wantsBytes ? event.textWithBytes ?? event.text : event.text
            output += "\n\n".utf8
        }
        return output
    }
}
