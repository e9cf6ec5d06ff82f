/// Lists the protocols that Weir reads.
public enum Dissectors {
    /// Lists the dissectors; where two recognise the same bytes, the first one reads them.
    static let all: [any Dissector.Type] = [
        HTTPDissector.self,
        DNSDissector.self,
        TLSDissector.self,
        QUICDissector.self,
        WebSocketDissector.self,
        RedisDissector.self,
        SyslogDissector.self,
        PostgreSQLDissector.self,
        MQTTDissector.self,
        SSHDissector.self,
        EchoDissector.self,
    ]

    /// Lists what each dissector reads, in the order of the table.
    public static let descriptions: [DissectorDescription] = rows.map(\.description)

    /// Holds each dissector's description beside it, as asking a type for it costs.
    static let rows = all.map { Row(type: $0, description: $0.description) }

    struct Row: Sendable {
        var type: any Dissector.Type
        var description: DissectorDescription
    }
}
