import WeirFlow
import WeirRelay
import WeirWire

/// Serves events as they happen.
///
/// Source: WHATWG HTML, section 9.2, "Server-sent events".
enum EventRoutes {
    static let all: [AdminRoute] = [events]

    private static let parameters: [AdminRoute.Parameter] = [
        AdminRoute.Parameter(
            name: "event",
            help: "Takes only these, separated by commas; without it all but `data`.",
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
            name: "after",
            help: "Begins behind the event of this number, as the header Last-Event-ID does.",
            schema: ["type": "integer", "minimum": 0, "maximum": .int(Int.max)]
        ),
        AdminRoute.Parameter(
            name: "limit",
            help: "Ends the stream after so many events.",
            schema: ["type": "integer", "minimum": 1, "maximum": 1_000_000]
        ),
        AdminRoute.Parameter(
            name: "Last-Event-ID",
            help: "Names the last event that the client knows, sent by browsers that come back.",
            schema: Schemas.string,
            isHeader: true
        ),
    ]

    private static let events = AdminRoute(
        .weir,
        "GET",
        "/v1/events",
        "streamEvents",
        "Streams what happens to flows, as server-sent events whose data are the objects of `weir relay --log`.",
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
        var after = try query.integer("after", 0...Int.max).map(UInt64.init)
        if let last = request.header("last-event-id"), let number = UInt64(last) { after = number }
        let log = parts.events
        guard let place = log.listen(filter.interest, bound: parts.settings.maxStreams) else {
            throw AnswerError.problem(503, "too many streams of events are open")
        }
        if request.method == "HEAD" { log.leave(place) }
        let stream = EventStream(log: log, place: place, filter: filter, last: place.start(after: after), left: limit)
        return AdminAnswer(
            status: 200,
            headers: [("content-type", "text/event-stream")],
            body: .stream { try await stream.run($0) }
        )
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
        if let name = request.parameter("proxy") {
            filter.listeners = try parts.proxies.route(name).endpoints
        }
        return filter
    }
}

/// Sends one client its events.
struct EventStream: Sendable {
    private static let silence = Duration.seconds(5)

    let log: EventLog
    let place: EventLog.Place
    let filter: EventFilter
    let last: UInt64
    let left: Int?

    /// Sends until the client has gone, the log is closed, or there were as many as were wanted.
    func run(_ writer: any AnswerWriter) async throws {
        // A client that is silent is asked whether it is there still.
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
        var last = last
        var left = left ?? .max
        ring.yield()
        for await _ in place.bell {
            var isSilent = true
            while left > 0 {
                let (events, seen, missed) = log.events(after: last, limit: min(256, left), where: filter.takes)
                guard seen > last else { break }
                last = seen
                var output: [UInt8] = []
                if missed > 0 { output += "event: lost\ndata: {\"event\":\"lost\",\"events\":\(missed)}\n\n".utf8 }
                for event in events {
                    output += "id: \(event.id)\nevent: \(event.name)\ndata: ".utf8
                    output += event.text
                    output += "\n\n".utf8
                }
                left -= events.count
                guard !output.isEmpty else { continue }
                isSilent = false
                try await writer.write(output)
            }
            guard left > 0 else { return }
            if isSilent { try await writer.write(Array(":\n\n".utf8)) }
        }
    }
}
