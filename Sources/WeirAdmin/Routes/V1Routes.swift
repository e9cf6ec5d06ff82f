import WeirEngine
import WeirRelay
import WeirWire

/// The operations of Weir beyond Toxiproxy's: flows, toxic types, ports, health, and the document of the whole API.
enum V1Routes {
    static let all: [AdminRoute] = [health, document, flows, flow, closeFlow, toxicTypes, ports, portsReport]

    // MARK: - Parts of the descriptions

    static let badRequest = problem(400, "The request is wrong.")

    static func problem(_ status: Int, _ help: String) -> AdminRoute.Answer {
        AdminRoute.Answer(
            status: status,
            help: help,
            type: "application/problem+json",
            schema: Schemas.reference("Problem")
        )
    }

    static let after = AdminRoute.Parameter(
        name: "after",
        help: "Begins behind this number: the `next` of the page before.",
        schema: ["type": "integer", "minimum": 0, "maximum": .int(Int.max)]
    )
    static let limit = AdminRoute.Parameter(
        name: "limit",
        help: "Bounds the entries of the page.",
        schema: ["type": "integer", "minimum": 1, "maximum": 1000, "default": 100]
    )
    static let transport = AdminRoute.Parameter(
        name: "transport",
        help: "Takes only what is carried by this.",
        schema: Schemas.oneOf(["tcp", "udp"])
    )
    static let proxy = AdminRoute.Parameter(name: "proxy", help: "Takes only this proxy's.", schema: Schemas.string)
    private static let flowNumber = AdminRoute.Parameter(
        name: "flow",
        help: "The flow's number.",
        schema: ["type": "integer", "minimum": 1, "maximum": .int(Int.max)],
        isInPath: true
    )

    static func page(_ name: String, _ item: JSONValue) -> JSONValue {
        Schemas.object([(name, Schemas.list(of: item)), ("next", ["type": ["integer", "null"]])])
    }

    // MARK: - Routes

    private static let health = AdminRoute(
        .weir,
        "GET",
        "/v1/health",
        "health",
        "Says that the relay runs, and what it is doing.",
        answers: [
            .json(
                200,
                "It runs.",
                Schemas.object([
                    ("status", Schemas.oneOf(["ok"])), ("instance", Schemas.string), ("version", Schemas.string),
                    ("toxiproxy_version", Schemas.string), ("uptime_ns", Schemas.count),
                    ("tcp_flows", Schemas.count), ("udp_sessions", Schemas.count), ("max_tcp_flows", Schemas.count),
                    ("max_udp_sessions", Schemas.count), ("proxies", Schemas.count),
                ])
            )
        ]
    ) { _, parts in
        let uptime = parts.started.instant.duration(to: SystemClock.instant())
        return .json([
            "status": "ok", "instance": .string(parts.events.instance), "version": .string(parts.settings.version),
            "toxiproxy_version": .string(ToxiproxyRoutes.version), "uptime_ns": .int(uptime.inNanoseconds),
            "tcp_flows": .int(parts.relay.openFlows), "udp_sessions": .int(parts.relay.openSessions),
            "max_tcp_flows": .int(parts.relay.maxFlows), "max_udp_sessions": .int(parts.relay.maxSessions),
            "proxies": .int(parts.relay.routes.count),
        ])
    }

    private static let document = AdminRoute(
        .weir,
        "GET",
        "/v1/openapi.json",
        "openAPI",
        "Describes this API: OpenAPI 3.1.",
        answers: [.json(200, "The document.", ["type": "object"])]
    ) { _, parts in
        .json(OpenAPI.document(version: parts.settings.version))
    }

    private static let flows = AdminRoute(
        .weir,
        "GET",
        "/v1/flows",
        "listFlows",
        "Lists the flows that are open, by their numbers, a page at a time.",
        parameters: [after, limit, proxy, transport],
        answers: [
            .json(200, "The flows.", page("flows", Schemas.reference("Flow"))), badRequest,
            problem(404, "There is no such proxy."),
        ]
    ) { request, parts in
        let query = QueryReader(request)
        let limit = try query.integer("limit", 1...1000) ?? 100
        var filter = Supervisor.FlowFilter()
        filter.after = UInt64(try query.integer("after", 0...Int.max) ?? 0)
        filter.transport = try query.transport()
        if let name = request.parameter("proxy") {
            filter.route = try parts.proxies.route(name).number
        }
        let names = FlowJSON.names(parts)
        let found = await parts.relay.flows(filter, limit: limit + 1)
        let page = found.prefix(limit)
        return .json([
            "flows": .array(page.map { FlowJSON.flow($0, names) }),
            "next": found.count > limit ? .int(page.last?.id.rawValue ?? 0) : .null,
        ])
    }

    private static let flow = AdminRoute(
        .weir,
        "GET",
        "/v1/flows/{flow}",
        "getFlow",
        "Describes a flow that is open.",
        parameters: [flowNumber],
        answers: [
            .json(200, "The flow.", Schemas.reference("Flow")), problem(404, "No flow of that number is open."),
        ]
    ) { request, parts in
        guard let id = FlowJSON.number(request), let flow = await parts.relay.flow(id) else { throw noFlow }
        return .json(FlowJSON.flow(flow, FlowJSON.names(parts)))
    }

    private static let closeFlow = AdminRoute(
        .weir,
        "DELETE",
        "/v1/flows/{flow}",
        "closeFlow",
        "Closes a flow: both sides see its end.",
        parameters: [flowNumber],
        answers: [.empty(204, "It is closed."), problem(404, "No flow of that number is open.")]
    ) { request, parts in
        guard let id = FlowJSON.number(request), await parts.relay.closeFlow(id) else { throw noFlow }
        return .empty(204)
    }

    private static let noFlow = AnswerError.problem(404, "no flow of that number is open")

    private static let toxicTypes = AdminRoute(
        .weir,
        "GET",
        "/v1/toxic-types",
        "listToxicTypes",
        "Lists the types of toxics with their settings.",
        answers: [
            .json(
                200,
                "The types.",
                Schemas.list(
                    of: Schemas.object([
                        ("name", Schemas.string), ("summary", Schemas.string),
                        ("transports", Schemas.list(of: Schemas.string)),
                        ("fields", Schemas.list(of: ["type": "object"])),
                    ])
                )
            )
        ]
    ) { _, _ in
        .json(.array(Toxics.all.map(ToxicJSON.type)))
    }

    private static let ports = AdminRoute(
        .weir,
        "GET",
        "/v1/ports",
        "listPorts",
        "Lists which port the relay was given for which client's, of the last 10,000 flows, a page at a time.",
        parameters: [after, limit],
        answers: [
            .json(
                200,
                "The ports.",
                Schemas.object([
                    ("flows", Schemas.count), ("ports", Schemas.list(of: ["type": "object"])),
                    ("next", ["type": ["integer", "null"]]),
                ])
            ), badRequest,
        ]
    ) { request, parts in
        let query = QueryReader(request)
        let limit = try query.integer("limit", 1...1000) ?? 100
        let after = UInt64(try query.integer("after", 0...Int.max) ?? 0)
        let (pairs, flows, isMore) = parts.events.ports.pairs(after: after, limit: limit)
        return .json([
            "flows": .int(flows), "ports": .array(pairs.map(FlowJSON.pair)),
            "next": isMore ? .int(pairs.last?.flow ?? 0) : .null,
        ])
    }

    private static let portsReport = AdminRoute(
        .weir,
        "GET",
        "/v1/ports/report",
        "reportPorts",
        "Names the allocators behind the ports of each client and of the relay: the objects of `weir ports --json`.",
        parameters: [after, limit],
        answers: [
            .json(
                200,
                "The series of ports, each with its verdict, and how many choices there was no room for.",
                Schemas.object([
                    ("series", Schemas.list(of: ["type": "object"])), ("left_out", Schemas.count),
                    ("next", ["type": ["integer", "null"]]),
                ])
            ), badRequest,
        ]
    ) { request, parts in
        let query = QueryReader(request)
        let limit = try query.integer("limit", 1...1000) ?? 100
        let after = try query.integer("after", 0...Int.max) ?? 0
        let (reports, leftOut, isMore) = parts.events.ports.reports(
            after: after,
            limit: limit,
            parts.relay.portRanges
        )
        return .json([
            "series": .array(try reports.map(FlowJSON.report)), "left_out": .int(leftOut),
            "next": isMore ? .int(after + reports.count) : .null,
        ])
    }
}

/// A reader of a query's values, which reports mistakes in them.
struct QueryReader {
    private let request: AdminRequest

    init(_ request: AdminRequest) {
        self.request = request
    }

    func integer(_ name: String, _ range: ClosedRange<Int>) throws(AnswerError) -> Int? {
        guard let text = request.parameter(name) else { return nil }
        guard let value = Int(text), range.contains(value), text.first != "+" else {
            throw .problem(400, "'\(name)' takes a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    func transport() throws(AnswerError) -> Transport? {
        guard let text = request.parameter("transport") else { return nil }
        guard let transport = Transport(text), "\(transport)" == text else {
            throw .problem(400, "'transport' is tcp or udp")
        }
        return transport
    }

    func choice(_ name: String, _ values: [String]) throws(AnswerError) -> String? {
        guard let text = request.parameter(name) else { return nil }
        guard values.contains(text) else {
            throw .problem(400, "'\(name)' is one of \(values.joined(separator: ", "))")
        }
        return text
    }
}
