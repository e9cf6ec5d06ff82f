public import WeirWire

/// Describes a type of toxic: its row in the table `Toxics.all`.
public struct ToxicType: Sendable {
    /// Names the type, as in the control API.
    public let name: String
    /// Says what it does, in one sentence.
    public let summary: String
    /// Lists what it can be put on.
    public let transports: [Transport]
    /// Lists its settings.
    public let fields: [ToxicField]
    /// Makes the toxic from settings that are complete and in range.
    let make: @Sendable (ToxicSettings) throws(ToxicError) -> any Toxic

    init(
        _ name: String,
        _ summary: String,
        transports: [Transport] = [.tcp, .udp],
        _ fields: [ToxicField] = [],
        make: @escaping @Sendable (ToxicSettings) throws(ToxicError) -> any Toxic
    ) {
        self.name = name
        self.summary = summary
        self.transports = transports
        self.fields = fields
        self.make = make
    }

    /// Returns the field with a name; nil where the type has none.
    public func field(_ name: String) -> ToxicField? { fields.first { $0.name == name } }

    /// Completes attributes with the defaults, and checks them.
    ///
    /// - Parameter attributes: what was given, by the fields' names.
    /// - Returns: a value for every field.
    /// - Throws: `ToxicError.invalid` with the field's name and the reason.
    public func completed(_ attributes: [String: ToxicValue]) throws(ToxicError) -> [String: ToxicValue] {
        for name in attributes.keys.sorted() where field(name) == nil {
            let known = fields.isEmpty ? "it has none" : "it has \(fields.map(\.name).joined(separator: ", "))"
            let near = Spelling.nearest(to: name, among: fields.map(\.name)).map { "; did you mean '\($0)'?" }
            throw .invalid(type: self.name, field: name, reason: "is no field of it; \(known)\(near ?? "")")
        }
        var complete: [String: ToxicValue] = [:]
        for field in fields {
            complete[field.name] = try field.checked(attributes[field.name] ?? field.default, of: name)
        }
        return complete
    }

    /// Makes a toxic.
    ///
    /// - Parameters:
    ///   - attributes: its settings, by the fields' names; what is missing has its default.
    ///   - transport: what it is put on.
    /// - Returns: the toxic, in the state in which it meets a flow.
    /// - Throws: `ToxicError` with the field and the reason, or that it does nothing to the transport.
    public func toxic(_ attributes: [String: ToxicValue], for transport: Transport) throws(ToxicError) -> any Toxic {
        guard transports.contains(transport) else { throw .unsupported(type: name, transport) }
        return try make(ToxicSettings(type: name, transport: transport, attributes: try completed(attributes)))
    }
}

/// Lends the settings of a toxic that is made: complete, and in their fields' ranges.
struct ToxicSettings {
    let type: String
    let transport: Transport
    let attributes: [String: ToxicValue]

    /// Returns a whole number.
    func integer(_ name: String) -> Int {
        if case .int(let value)? = attributes[name] { value } else { 0 }
    }

    /// Returns a number.
    func number(_ name: String) -> Double {
        if case .double(let value)? = attributes[name] { value } else { 0 }
    }

    /// Returns a text.
    func text(_ name: String) -> String {
        if case .string(let value)? = attributes[name] { value } else { "" }
    }

    /// Returns a number of milliseconds.
    func milliseconds(_ name: String) -> Duration { .milliseconds(Int64(integer(name))) }

    /// Makes the error of a field.
    func error(_ field: String, _ reason: String) -> ToxicError { .invalid(type: type, field: field, reason: reason) }
}
