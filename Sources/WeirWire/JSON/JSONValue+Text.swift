extension JSONValue {
    /// The value as text on one line.
    package var text: String { rendered().string }

    /// The value as text on one line, in UTF-8.
    package var bytes: [UInt8] { rendered().withUnsafeBytes { Array($0) } }

    private func rendered() -> ByteBuffer {
        var output = ByteBuffer(capacity: 1024)
        output.appendJSON { write(to: &$0) }
        return output
    }

    private func write(to json: inout JSONWriter) {
        switch self {
        case .null: json.element(nil as Int?)
        case .bool(let value): json.element(value)
        case .number(let text): json.element(JSONNumber(text))
        case .string(let text): json.element(MarkupSafeText(text))
        case .array(let values): json.array { json in for value in values { value.write(to: &json) } }
        case .object(let members):
            json.object { json in
                for member in members {
                    json.begin(named: MarkupSafeText(member.key))
                    member.value.write(to: &json)
                }
            }
        }
    }
}

/// A text that is written with escapes for the characters that a script or a browser could take for markup, as in Go.
private struct MarkupSafeText: JSONScalar {
    private let text: String

    init(_ text: String) {
        self.text = text
    }

    func appendJSON(to output: inout ByteBuffer) {
        output.append(UInt8(ascii: "\""))
        var text = text
        let isPlain = text.withUTF8 { bytes in
            for byte in bytes where Self.isEscaped(byte) { return false }
            return true
        }
        if isPlain { output.append(text) } else { for byte in text.utf8 { Self.append(byte, to: &output) } }
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
