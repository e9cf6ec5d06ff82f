import WeirWire

/// A body from Toxiproxy's clients, read as Go reads it: the first value counts, keys match in any case, unknown keys
/// are ignored, and null leaves a field unchanged.
struct ProxyInput {
    private let value: JSONValue

    /// Reads a body that must be an object.
    ///
    /// - Throws: `ToxiproxyError` with 400.
    init(_ body: [UInt8]) throws(ToxiproxyError) {
        do throws(JSONError) {
            value = try JSONParser.parse(body)
        } catch {
            throw .badBody(error)
        }
        try Self.check(value)
    }

    /// Takes a value that must be an object.
    init(value: JSONValue) throws(ToxiproxyError) {
        self.value = value
        try Self.check(value)
    }

    private static func check(_ value: JSONValue) throws(ToxiproxyError) {
        switch value {
        case .object, .null: break
        default: throw mismatch(value, "value", "struct")
        }
    }

    /// Reads a body that must be a list of objects.
    static func list(_ body: [UInt8]) throws(ToxiproxyError) -> [ProxyInput] {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONParser.parse(body)
        } catch {
            throw .badBody(error)
        }
        switch value {
        case .null: return []
        case .array(let values):
            var inputs: [ProxyInput] = []
            for value in values { inputs.append(try ProxyInput(value: value)) }
            return inputs
        default: throw mismatch(value, "value", "[]Proxy")
        }
    }

    private static func mismatch(_ value: JSONValue, _ field: String, _ type: String) -> ToxiproxyError {
        .badBody("json: cannot unmarshal \(value.kind) into Go \(field) of type \(type)")
    }

    /// Returns the value of a key; nil for null.
    private func member(_ key: String) -> JSONValue? {
        guard let members = value.members else { return nil }
        let found = members.last { $0.key == key } ?? members.last { $0.key.lowercased() == key }
        return found?.value == .null ? nil : found?.value
    }

    func string(_ key: String) throws(ToxiproxyError) -> String? {
        guard let value = member(key) else { return nil }
        guard let text = value.stringValue else { throw Self.mismatch(value, "struct field .\(key)", "string") }
        return text
    }

    func bool(_ key: String) throws(ToxiproxyError) -> Bool? {
        guard let value = member(key) else { return nil }
        guard let bool = value.boolValue else { throw Self.mismatch(value, "struct field .\(key)", "bool") }
        return bool
    }

    func float(_ key: String) throws(ToxiproxyError) -> Float? {
        guard let value = member(key) else { return nil }
        guard case .number(let text) = value, let number = Float(text), number.isFinite else {
            throw Self.mismatch(value, "struct field .\(key)", "float32")
        }
        return number
    }

    func object(_ key: String) throws(ToxiproxyError) -> [JSONValue.Member] {
        guard let value = member(key) else { return [] }
        guard let members = value.members else { throw Self.mismatch(value, "struct field .\(key)", "struct") }
        return members
    }
}
