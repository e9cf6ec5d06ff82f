import WeirEngine
import WeirRelay
import WeirWire

/// The routes that show the chunks that `hold` toxics keep, and take decisions about them.
enum HoldRoutes {
    static let all: [AdminRoute] = [list, decideAll, find, decide]

    /// The maximum time that a request may wait for a chunk, in seconds.
    private static let longestWait = 10

    private static let hold = AdminRoute.Parameter(
        name: "hold",
        help: "The held chunk: FLOW.DIRECTION.NUMBER.TOXIC.",
        schema: Schemas.string,
        isInPath: true
    )
    private static let toxic = AdminRoute.Parameter(
        name: "toxic",
        help: "Takes only what toxics of this name keep; given again, of any of these names.",
        schema: Schemas.list(of: Schemas.string)
    )
    private static let wait = AdminRoute.Parameter(
        name: "wait",
        help: "Waits so many seconds for a chunk where none is held.",
        schema: ["type": "integer", "minimum": 0, "maximum": .int(longestWait)]
    )
    private static let gone = V1Routes.problem(404, "The chunk is not held any more.")
    private static let held = Schemas.reference("HeldChunk")

    private static let list = AdminRoute(
        .weir,
        "GET",
        "/v1/holds",
        "listHolds",
        "Lists the chunks that are held, oldest first.",
        parameters: [V1Routes.proxy, toxic, V1Routes.limit, wait],
        answers: [
            .json(200, "The chunks.", Schemas.object([("holds", Schemas.list(of: held))])), V1Routes.badRequest,
            V1Routes.problem(404, "There is no such proxy."),
        ]
    ) { request, parts in
        let query = QueryReader(request)
        let limit = try query.integer("limit", 1...1000) ?? 100
        let wait = try query.integer("wait", 0...longestWait) ?? 0
        let toxics = Set(request.query.lazy.filter { $0.name == "toxic" }.map(\.value))
        let until = SystemClock.instant().advanced(by: .seconds(Int64(wait)))
        while true {
            var route: Int?
            if let name = request.parameter("proxy") { route = try parts.proxies.route(name).number }
            var chunks = await parts.relay.heldChunks(route: route, limit: toxics.isEmpty ? limit : .max)
            if !toxics.isEmpty { chunks = Array(chunks.lazy.filter { toxics.contains($0.toxic) }.prefix(limit)) }
            if !chunks.isEmpty || SystemClock.instant() >= until {
                let names = FlowJSON.names(parts)
                return .json(["holds": .array(chunks.map { json($0, names) })])
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private static let decideAll = AdminRoute(
        .weir,
        "POST",
        "/v1/holds",
        "decideAllHolds",
        "Forwards or drops all chunks that are held now.",
        body: [
            "type": "object", "additionalProperties": false, "required": ["action"],
            "properties": ["action": Schemas.oneOf(["forward", "drop"]), "proxy": Schemas.string],
        ],
        answers: [
            .json(200, "So many were decided about.", Schemas.object([("decided", Schemas.count)])),
            V1Routes.badRequest, V1Routes.problem(404, "There is no such proxy."),
        ]
    ) { request, parts in
        let input = try BodyReader(request.body, keys: ["action", "proxy"])
        guard let action = try input.string("action"), ["forward", "drop"].contains(action) else {
            throw AnswerError.problem(400, "'action' is forward or drop")
        }
        var route: Int?
        if let name = try input.string("proxy") { route = try parts.proxies.route(name).number }
        var decided = 0
        for chunk in await parts.relay.heldChunks(route: route, limit: .max)
        where await parts.decide(chunk, action == "drop" ? .drop : .forward) { decided += 1 }
        return .json(["decided": .int(decided)])
    }

    private static let find = AdminRoute(
        .weir,
        "GET",
        "/v1/holds/{hold}",
        "getHold",
        "Shows a chunk that is held.",
        parameters: [hold],
        answers: [.json(200, "The chunk.", held), gone]
    ) { request, parts in
        .json(json(try await chunk(request, parts), FlowJSON.names(parts)))
    }

    private static let decide = AdminRoute(
        .weir,
        "POST",
        "/v1/holds/{hold}",
        "decideHold",
        "Forwards, edits or drops a held chunk.",
        parameters: [hold],
        body: [
            "oneOf": [
                [
                    "type": "object", "additionalProperties": false, "required": ["action"],
                    "properties": ["action": Schemas.oneOf(["forward", "drop"])],
                ],
                [
                    "type": "object", "additionalProperties": false, "required": ["action", "bytes"],
                    "properties": [
                        "action": Schemas.oneOf(["edit"]),
                        "bytes": ["type": "string", "contentEncoding": "base64", "pattern": "^([A-Za-z0-9+/]{4})*$"],
                    ],
                ],
            ]
        ],
        answers: [.empty(204, "It is done."), V1Routes.badRequest, gone]
    ) { request, parts in
        let input = try BodyReader(request.body, keys: ["action", "bytes"])
        let bytes = try input.string("bytes")
        let decision: HoldDecision
        switch try input.string("action") {
        case "forward" where bytes == nil: decision = .forward
        case "drop" where bytes == nil: decision = .drop
        case "edit":
            guard let edited = bytes.flatMap(Base64.decode) else {
                throw AnswerError.problem(400, "to edit takes 'bytes' in base64")
            }
            decision = .replace(edited)
        default: throw AnswerError.problem(400, "'action' is forward, edit (with 'bytes') or drop")
        }
        let chunk = try await chunk(request, parts)
        guard await parts.decide(chunk, decision) else { throw missing }
        return .empty(204)
    }

    private static let missing = AnswerError.problem(404, "the chunk is not held any more")

    /// Returns the chunk that a path names.
    private static func chunk(_ request: AdminRequest, _ parts: AdminParts) async throws -> HeldChunk {
        let id = request.part("hold")
        let chunks = await parts.relay.heldChunks(limit: .max)
        guard let chunk = chunks.first(where: { name(of: $0) == id }) else { throw missing }
        return chunk
    }

    private static func name(of chunk: HeldChunk) -> String {
        "\(chunk.flow).\(chunk.direction).\(chunk.number).\(chunk.toxic)"
    }

    private static func json(_ chunk: HeldChunk, _ names: [Int: String]) -> JSONValue {
        let now = SystemClock.instant()
        return [
            "id": .string(name(of: chunk)), "flow": .int(chunk.flow.rawValue), "proxy": .text(names[chunk.route]),
            "toxic": .string(chunk.toxic), "direction": .text(chunk.direction), "number": .int(chunk.number),
            "length": .int(chunk.bytes.count), "held_ns": .int(max(0, chunk.since.duration(to: now).inNanoseconds)),
            "left_ns": .int(max(0, now.duration(to: chunk.until).inNanoseconds)),
            "bytes": .string(Base64.encode(chunk.bytes)),
        ]
    }
}

extension AdminParts {
    fileprivate func decide(_ chunk: HeldChunk, _ decision: HoldDecision) async -> Bool {
        await relay.decide(chunk.number, of: chunk.toxic, chunk.direction, flow: chunk.flow, decision)
    }
}
