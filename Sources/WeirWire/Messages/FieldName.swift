/// The name of a message's field, with a few words of help; as in Wireshark, if Wireshark has it.
public struct FieldName: Sendable {
    /// The name, such as `http.host`.
    public var name: StaticString
    /// The meaning of the field.
    public var help: StaticString
    /// The kind of value that identifies a flow, if the first value of this field is one; otherwise nil.
    public var finding: Finding?
    /// What queries ask of the field; nil if no word of theirs does.
    public var role: FieldRole?

    package init(_ name: StaticString, _ help: StaticString, finding: Finding? = nil, role: FieldRole? = nil) {
        self.name = name
        self.help = help
        self.finding = finding
        self.role = role
    }
}

/// A value that identifies a flow to users.
public enum Finding: String, Sendable, CaseIterable {
    /// The server name in a TLS client's hello (SNI).
    case serverName = "sni"
    /// The host of an HTTP request.
    case host
    /// The name that a DNS client asks for.
    case query
}
