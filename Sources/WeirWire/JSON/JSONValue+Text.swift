extension JSONValue {
    /// The value as text on one line.
    package var text: String { rendered().string }

    /// The value as text on one line, in UTF-8.
    package var bytes: [UInt8] { rendered().withUnsafeBytes { Array($0) } }

    private func rendered() -> ByteBuffer {
        var output = ByteBuffer(capacity: 1024)
        write(to: &output)
        return output
    }

    private func write(to output: inout ByteBuffer) {
        switch self {
        case .null: output.append("null")
        case .bool(let value): output.append(value ? "true" as StaticString : "false")
        case .number(let text): output.append(text)
        case .string(let text): Self.quote(text, to: &output)
        case .array(let values):
            output.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                value.write(to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let members):
            output.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                Self.quote(member.key, to: &output)
                output.append(UInt8(ascii: ":"))
                member.value.write(to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    /// Writes a string in quotes; characters that a script or a browser could take for markup are escaped, as in Go.
    private static func quote(_ text: String, to output: inout ByteBuffer) {
        output.append(UInt8(ascii: "\""))
        var text = text
        let isPlain = text.withUTF8 { bytes in
            for byte in bytes where isEscaped(byte) { return false }
            return true
        }
        if isPlain { output.append(text) } else { for byte in text.utf8 { append(byte, to: &output) } }
        output.append(UInt8(ascii: "\""))
    }

    private static func isEscaped(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"): true
        default: byte < 0x20 || byte == 0x7F
        }
    }

    private static func append(_ byte: UInt8, to output: inout ByteBuffer) {
        guard isEscaped(byte) else { return output.append(byte) }
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            output.append(UInt8(ascii: "\\"))
            output.append(byte)
        case 0x0A: output.append("\\n")
        case 0x0D: output.append("\\r")
        case 0x09: output.append("\\t")
        default:
            output.append("\\u")
            output.appendHex(UInt32(byte), digits: 4)
        }
    }
}
