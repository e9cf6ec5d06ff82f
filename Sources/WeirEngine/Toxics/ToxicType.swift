public import WeirWire

/// A type of toxic: a row in the table `Toxics.all`.
public struct ToxicType: Sendable {
    /// The name of the type, as in the control API.
    public let name: String
    /// One sentence about what it does.
    public let summary: String
    /// The transports to which it can apply.
    public let transports: [Transport]
    /// The settings of the type.
    public let fields: [ToxicField]
    /// A function that makes the toxic from complete settings in range.
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

    /// Returns the field with a name; nil if the type has none.
    public func field(_ name: String) -> ToxicField? { fields.first { $0.name == name } }

    /// Fills in defaults for missing attributes, and checks all.
    ///
    /// - Parameter attributes: the given values, by the fields' names.
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
    ///   - attributes: the settings, by the fields' names; a missing one has its default.
    ///   - transport: the transport of the route.
    /// - Returns: the toxic, in the state in which it meets a flow.
    /// - Throws: `ToxicError` with the field and the reason, or if the type does not support the transport.
    public func toxic(_ attributes: [String: ToxicValue], for transport: Transport) throws(ToxicError) -> any Toxic {
        guard transports.contains(transport) else { throw .unsupported(type: name, transport) }
        return try make(ToxicSettings(type: name, transport: transport, attributes: try completed(attributes)))
    }
}

/// The settings of a new toxic: complete, and in their fields' ranges.
struct ToxicSettings {
    let type: String
    let transport: Transport
    let attributes: [String: ToxicValue]

    /// Returns the value of a whole number.
    func integer(_ name: String) -> Int {
        if case .int(let value)? = attributes[name] { value } else { 0 }
    }

    /// Returns the value of a number.
    func number(_ name: String) -> Double {
        if case .double(let value)? = attributes[name] { value } else { 0 }
    }

    /// Returns the value of a text.
    func text(_ name: String) -> String {
        if case .string(let value)? = attributes[name] { value } else { "" }
    }

    /// Returns the value of a number of milliseconds.
    func milliseconds(_ name: String) -> Duration { .milliseconds(Int64(integer(name))) }

    /// Returns an error about a field.
    func error(_ field: String, _ reason: String) -> ToxicError { .invalid(type: type, field: field, reason: reason) }
}
