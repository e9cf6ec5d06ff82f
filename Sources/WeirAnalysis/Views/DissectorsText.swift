public import WeirDissect
public import WeirWire

/// The text form of the table of dissectors: their protocols, ports, and the meaning of each field.
public enum DissectorsText {
    /// Appends the description of all dissectors.
    public static func append(_ dissectors: [DissectorDescription], to output: inout ByteBuffer) {
        for (index, dissector) in dissectors.enumerated() {
            if index > 0 { output.append("\n") }
            output.append(dissector.name)
            output.append("  ")
            output.append(dissector.summary)
            output.append("\n  over ")
            output.append(dissector.transports.map(\.description).joined(separator: ", "))
            if dissector.ports.isEmpty {
                output.append("; has no port of its own\n")
            } else {
                output.append("; ports ")
                output.append(dissector.ports.map(String.init).joined(separator: ", "))
                output.append("\n")
            }
            appendFields(dissector.fields, to: &output)
        }
    }

    private static func appendFields(_ fields: [FieldName], to output: inout ByteBuffer) {
        let width = fields.map(\.name.utf8CodeUnitCount).max() ?? 0
        for field in fields {
            output.append("  ")
            output.appendLeft("\(field.name)", width)
            output.append("  ")
            output.append(field.help)
            if let finding = field.finding {
                output.append(" (a flow's ")
                output.append(finding.rawValue)
                output.append(")")
            }
            output.append("\n")
        }
    }
}
