import WeirWire

/// An error for Toxiproxy's clients: a message and a status.
struct ToxiproxyError: Error, Hashable {
    var message: String
    var status: Int

    static let invalidStream = ToxiproxyError(
        message: "stream was invalid, can be either upstream or downstream",
        status: 400
    )
    static let invalidType = ToxiproxyError(message: "invalid toxic type", status: 400)
    static let proxyNotFound = ToxiproxyError(message: "proxy not found", status: 404)
    static let toxicNotFound = ToxiproxyError(message: "toxic not found", status: 404)
    static let proxyExists = ToxiproxyError(message: "proxy already exists", status: 409)
    static let toxicExists = ToxiproxyError(message: "toxic already exists", status: 409)

    static func badBody(_ reason: some CustomStringConvertible) -> ToxiproxyError {
        ToxiproxyError(message: "bad request body: \(reason)", status: 400)
    }

    static func missing(_ field: String) -> ToxiproxyError {
        ToxiproxyError(message: "missing required field: \(field)", status: 400)
    }

    static func other(_ reason: some CustomStringConvertible) -> ToxiproxyError {
        ToxiproxyError(message: "\(reason)", status: 500)
    }

    /// The members of the JSON object that clients read.
    var members: [JSONValue.Member] {
        [.init("error", .string(message)), .init("status", .int(status))]
    }

    /// The answer in Toxiproxy's form: JSON that is sent as text, because Go's `http.Error` sends it so.
    var answer: AdminAnswer {
        AdminAnswer.text(JSONValue.object(members).text + "\n", status: status)
            .with("x-content-type-options", "nosniff")
    }
}
