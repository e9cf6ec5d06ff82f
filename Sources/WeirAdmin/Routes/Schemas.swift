import WeirEngine
import WeirWire

/// The schemas of the API's values, for the OpenAPI document.
///
/// Source: JSON Schema 2020-12, OpenAPI 3.1.0 section 4.8.24.
enum Schemas {
    static let string: JSONValue = ["type": "string"]
    static let count: JSONValue = ["type": "integer", "minimum": 0]

    static func reference(_ name: String) -> JSONValue { ["$ref": .string("#/components/schemas/\(name)")] }

    static func list(of schema: JSONValue) -> JSONValue { ["type": "array", "items": schema] }

    static func oneOf(_ values: [String]) -> JSONValue {
        ["type": "string", "enum": .array(values.map(JSONValue.string))]
    }

    static func object(_ members: [(String, JSONValue)], required: [String]? = nil) -> JSONValue {
        [
            "type": "object", "properties": .object(members.map { JSONValue.Member($0.0, $0.1) }),
            "required": .array((required ?? members.map(\.0)).map(JSONValue.string)),
        ]
    }

    /// The named schemas.
    static let components: [(String, JSONValue)] = [
        ("Proxy", proxy), ("Toxic", toxic), ("Error", error), ("Problem", problem), ("Flow", flow),
        ("Recording", recording), ("HeldChunk", heldChunk),
    ]

    private static let proxy = object([
        ("name", string), ("listen", string), ("upstream", string), ("enabled", ["type": "boolean"]),
        ("toxics", list(of: reference("Toxic"))),
    ])

    private static let toxic = object([
        ("attributes", ["type": "object"]), ("name", string), ("type", string), ("stream", string),
        ("toxicity", ["type": "number"]),
    ])

    private static let error = object([("error", string), ("status", ["type": "integer"])])

    private static let problem = object([
        ("type", string), ("title", string), ("status", ["type": "integer"]), ("detail", string),
    ])

    private static let direction = object([
        ("bytes", count), ("chunks", count), ("dropped_bytes", count), ("dropped_datagrams", count),
        ("queued_bytes", count),
    ])

    private static let endpoint: JSONValue = ["type": ["string", "null"]]

    private static let flow = object([
        ("id", count), ("proxy", endpoint), ("transport", oneOf(["tcp", "udp"])),
        ("phase", oneOf(FlowStatus.Phase.allCases.map(\.rawValue))), ("opened", string), ("age_ns", count),
        ("idle_ns", ["type": "integer"]), ("client", string), ("listener", string), ("egress", endpoint),
        ("server", endpoint), ("upstream", direction), ("downstream", direction),
    ])

    private static let heldChunk = object([
        ("id", string), ("flow", count), ("proxy", endpoint), ("toxic", string),
        ("direction", oneOf(["upstream", "downstream"])), ("number", count), ("length", count), ("held_ns", count),
        ("left_ns", count), ("bytes", string),
    ])

    private static let recording = object([
        ("name", string), ("bytes", count), ("modified", string), ("active", ["type": "boolean"]),
    ])
}
