/// The protocols that Weir reads.
public enum Dissectors {
    /// The dissectors; if two recognise the same bytes, the first one reads them.
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

    /// The descriptions of the dissectors, in the order of the table.
    public static let descriptions: [DissectorDescription] = rows.map(\.description)

    /// Each dissector with its description, because asking a type for the description takes time.
    static let rows = all.map { Row(type: $0, description: $0.description) }

    struct Row: Sendable {
        var type: any Dissector.Type
        var description: DissectorDescription
    }
}
