import WeirEngine
import WeirWire

/// The operations of Toxiproxy 2.12, as its clients know them.
///
/// Source: Toxiproxy's README, "HTTP API", and its `api.go`.
enum ToxiproxyRoutes {
    /// The version of Toxiproxy with this API: clients choose their dialect by it.
    static let version = "2.12.0"

    static let all: [AdminRoute] = proxies + toxics + others

    private static let proxyName = AdminRoute.Parameter(
        name: "proxy",
        help: "The proxy's name.",
        schema: ["type": "string", "minLength": 1],
        isInPath: true
    )
    private static let toxicName = AdminRoute.Parameter(
        name: "toxic",
        help: "The toxic's name.",
        schema: ["type": "string", "minLength": 1],
        isInPath: true
    )

    private static let proxy = Schemas.reference("Proxy")
    private static let toxic = Schemas.reference("Toxic")

    /// Returns the description of an error: an object of `error` and `status` that is sent as text.
    private static func error(_ status: Int, _ help: String) -> AdminRoute.Answer {
        AdminRoute.Answer(status: status, help: help, type: "text/plain; charset=utf-8", schema: Schemas.string)
    }

    private static let noProxy = error(404, "There is no such proxy.")
    private static let badBody = error(400, "The body is wrong; nothing has changed.")
    private static let failed = error(500, "The relay cannot listen there; nothing has changed.")
    private static let browser = error(403, "Browsers and strangers are not answered.")

    /// The endpoint on which a proxy listens: `HOST:PORT`, possibly after `udp:`, `tls:` or `auto:`, or nothing for any port of every
    /// address.
    private static let listen: JSONValue = [
        "type": ["string", "null"],
        "pattern": "^$|^((udp|tcp|tls|auto):)?([A-Za-z0-9._-]*|\\[[0-9A-Fa-f:.]+\\]):[0-9]{0,5}$",
    ]
    private static let upstream = "^((tcp|tls):)?[A-Za-z0-9._-]{0,200}:(\(port))$"
    private static let port =
        "[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"

    private static let newProxy: JSONValue = Schemas.object(
        [
            ("name", ["type": "string", "minLength": 1]), ("listen", listen),
            ("upstream", ["type": "string", "pattern": .string(upstream)]),
            ("enabled", ["type": ["boolean", "null"], "default": true]),
        ],
        required: ["name", "upstream"]
    )
    private static let proxyChange: JSONValue = optional([
        ("listen", listen), ("upstream", ["type": ["string", "null"], "pattern": .string(upstream)]),
        ("enabled", ["type": ["boolean", "null"]]),
    ])

    /// Returns the schema of an object that may be null, and whose members are all optional.
    private static func optional(_ members: [(String, JSONValue)]) -> JSONValue {
        [
            "type": ["object", "null"],
            "properties": .object(members.map { JSONValue.Member($0.0, $0.1) }),
        ]
    }
    private static let newToxic: JSONValue = Schemas.object(
        [
            ("name", ["type": ["string", "null"]]), ("type", Schemas.oneOf(Toxics.all.map(\.name))),
            (
                "stream",
                ["type": ["string", "null"], "pattern": "^([uU][pP]|[dD][oO][wW][nN])[sS][tT][rR][eE][aA][mM]$"]
            ),
            ("toxicity", ["type": ["number", "null"], "minimum": 0, "maximum": 1, "default": 1]),
            ("attributes", ["type": ["object", "null"]]),
        ],
        required: ["type"]
    )
    private static let toxicChange: JSONValue = optional([
        ("attributes", ["type": ["object", "null"]]),
        ("toxicity", ["type": ["number", "null"], "minimum": 0, "maximum": 1]),
    ])

    // MARK: - Proxies

    private static let proxies: [AdminRoute] = [
        AdminRoute(
            .toxiproxy,
            "GET",
            "/proxies",
            "listProxies",
            "Lists all proxies by their names.",
            answers: [
                .json(200, "The proxies.", ["type": "object", "additionalProperties": proxy]), browser,
            ]
        ) { _, parts in
            .json(.object(parts.proxies.all().map { JSONValue.Member($0.name, $0.json) }))
        },
        AdminRoute(
            .toxiproxy,
            "POST",
            "/proxies",
            "createProxy",
            "Makes a proxy.",
            body: newProxy,
            answers: [
                .json(201, "The proxy.", proxy), badBody, error(409, "There is a proxy of that name."), failed, browser,
            ]
        ) { request, parts in
            .json(try await parts.proxies.create(request.body).json, status: 201)
        },
        AdminRoute(
            .toxiproxy,
            "GET",
            "/proxies/{proxy}",
            "getProxy",
            "Describes a proxy.",
            parameters: [proxyName],
            answers: [.json(200, "The proxy.", proxy), noProxy, browser]
        ) { request, parts in
            .json(try parts.proxies.proxy(request.part("proxy")).json)
        },
        change(
            "PATCH",
            "updateProxy",
            "Changes a proxy; its connections are dropped where it listens or leads elsewhere."
        ),
        change("POST", "updateProxyByPost", "Changes a proxy, as PATCH does: for old clients."),
        AdminRoute(
            .toxiproxy,
            "DELETE",
            "/proxies/{proxy}",
            "deleteProxy",
            "Removes a proxy, and drops its connections.",
            parameters: [proxyName],
            answers: [.empty(204, "It is gone."), noProxy, browser]
        ) { request, parts in
            try await parts.proxies.delete(request.part("proxy"))
            return .empty(204)
        },
    ]

    private static func change(_ method: String, _ operation: String, _ summary: String) -> AdminRoute {
        AdminRoute(
            .toxiproxy,
            method,
            "/proxies/{proxy}",
            operation,
            summary,
            parameters: [proxyName],
            body: proxyChange,
            answers: [.json(200, "The proxy.", proxy), badBody, noProxy, failed, browser]
        ) { request, parts in
            .json(try await parts.proxies.update(request.part("proxy"), request.body).json)
        }
    }

    // MARK: - Toxics

    private static let toxics: [AdminRoute] = [
        AdminRoute(
            .toxiproxy,
            "GET",
            "/proxies/{proxy}/toxics",
            "listToxics",
            "Lists a proxy's toxics.",
            parameters: [proxyName],
            answers: [.json(200, "The toxics.", Schemas.list(of: toxic)), noProxy, browser]
        ) { request, parts in
            .json(.array(try parts.proxies.proxy(request.part("proxy")).toxics))
        },
        AdminRoute(
            .toxiproxy,
            "POST",
            "/proxies/{proxy}/toxics",
            "createToxic",
            "Puts a toxic on a proxy.",
            parameters: [proxyName],
            body: newToxic,
            answers: [
                .json(200, "The toxic.", toxic), badBody, noProxy, error(409, "There is a toxic of that name."),
                browser,
            ]
        ) { request, parts in
            .json(try await parts.proxies.addToxic(request.part("proxy"), request.body))
        },
        AdminRoute(
            .toxiproxy,
            "GET",
            "/proxies/{proxy}/toxics/{toxic}",
            "getToxic",
            "Describes a toxic.",
            parameters: [proxyName, toxicName],
            answers: [.json(200, "The toxic.", toxic), error(404, "There is no such proxy or toxic."), browser]
        ) { request, parts in
            .json(try parts.proxies.toxic(request.part("proxy"), request.part("toxic")))
        },
        toxicChange("PATCH", "updateToxic", "Changes a toxic: the attributes that are given, and its toxicity."),
        toxicChange("POST", "updateToxicByPost", "Changes a toxic, as PATCH does: for old clients."),
        AdminRoute(
            .toxiproxy,
            "DELETE",
            "/proxies/{proxy}/toxics/{toxic}",
            "deleteToxic",
            "Removes a toxic.",
            parameters: [proxyName, toxicName],
            answers: [.empty(204, "It is gone."), error(404, "There is no such proxy or toxic."), browser]
        ) { request, parts in
            try await parts.proxies.deleteToxic(request.part("proxy"), request.part("toxic"))
            return .empty(204)
        },
    ]

    private static func toxicChange(_ method: String, _ operation: String, _ summary: String) -> AdminRoute {
        AdminRoute(
            .toxiproxy,
            method,
            "/proxies/{proxy}/toxics/{toxic}",
            operation,
            summary,
            parameters: [proxyName, toxicName],
            body: toxicChange,
            answers: [
                .json(200, "The toxic.", toxic), badBody, error(404, "There is no such proxy or toxic."), browser,
            ]
        ) { request, parts in
            .json(
                try await parts.proxies.updateToxic(request.part("proxy"), request.part("toxic"), request.body)
            )
        }
    }

    // MARK: - Others

    private static let others: [AdminRoute] = [
        AdminRoute(
            .toxiproxy,
            "POST",
            "/populate",
            "populate",
            "Makes the proxies of a list, and replaces those that differ.",
            body: ["type": ["array", "null"], "items": newProxy],
            answers: [
                .json(201, "The proxies.", populated), .json(400, "The body is wrong; nothing has changed.", populated),
                .json(500, "One cannot listen; those before it are there.", populated), browser,
            ]
        ) { request, parts in
            let done = await parts.proxies.populate(request.body)
            let list: JSONValue = done.proxies.isEmpty ? .null : .array(done.proxies.map(\.json))
            return .json(
                .object((done.error?.members ?? []) + [JSONValue.Member("proxies", list)]),
                status: done.error?.status ?? 201
            )
        },
        AdminRoute(
            .toxiproxy,
            "POST",
            "/reset",
            "reset",
            "Enables every proxy, and removes every toxic.",
            answers: [
                .empty(204, "It is done."), error(400, "A proxy would lead back to itself; nothing has changed."),
                failed,
                browser,
            ]
        ) { _, parts in
            try await parts.proxies.reset()
            return .empty(204)
        },
        AdminRoute(
            .toxiproxy,
            "GET",
            "/version",
            "version",
            "Says which version of Toxiproxy's API this is.",
            answers: [
                .json(200, "The version.", Schemas.object([("version", Schemas.string)])), browser,
            ]
        ) { _, _ in
            .text("{\"version\": \"\(version)\"}\n", type: "application/json;charset=utf-8")
        },
        AdminRoute(
            .toxiproxy,
            "GET",
            "/metrics",
            "metrics",
            "Counts everything, for Prometheus.",
            answers: [
                AdminRoute.Answer(
                    status: 200,
                    help: "The metrics.",
                    type: PrometheusText.contentType,
                    schema: Schemas.string
                ), browser,
            ]
        ) { _, parts in
            AdminAnswer(
                status: 200,
                headers: [("content-type", PrometheusText.contentType)],
                body: .bytes(await RelayMetrics.text(parts))
            )
        },
    ]

    private static let populated = Schemas.object(
        [
            ("error", Schemas.string), ("status", ["type": "integer"]),
            ("proxies", ["type": ["array", "null"], "items": proxy]),
        ],
        required: ["proxies"]
    )
}
