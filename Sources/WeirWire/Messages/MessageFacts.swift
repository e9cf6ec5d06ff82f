/// What queries ask of a message, from those of its fields that have a `FieldRole` or identify a flow.
///
/// Every message has it, also one whose fields are not wanted; so has one that was read from a log without bytes.
public struct MessageFacts: Hashable, Sendable {
    /// The method of a request.
    public package(set) var method: String?
    /// The target of a request, as it was sent.
    public package(set) var target: String?
    /// The status of an answer.
    public package(set) var status: UInt64?
    /// The host that a request is for, as it was sent.
    public package(set) var host: String?
    /// The server's name in a hello of TLS or QUIC.
    public package(set) var serverName: String?
    /// Whether the message says that something went wrong.
    public package(set) var isError = false

    package init() {}

    /// Whether a field with a name tells any of it.
    @inlinable
    package static func has(_ name: FieldName) -> Bool { name.role != nil || name.finding != nil }

    /// Notes a field; the first one of each kind counts.
    package mutating func note(_ name: FieldName, _ value: FieldValue) {
        switch (name.role, value) {
        case (.method, .text(let text)): method = method ?? text
        case (.path, .text(let text)): target = target ?? text
        case (.status, .number(let number)): status = status ?? number
        default: break
        }
        if let role = name.role, role.isError(value) { isError = true }
        guard case .text(let text) = value else { return }
        switch name.finding {
        case .host: host = host ?? text
        case .serverName: serverName = serverName ?? text
        case .query, nil: break
        }
    }
}
