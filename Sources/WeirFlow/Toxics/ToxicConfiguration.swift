public import WeirWire

/// Says which toxic is put on which direction of a route, and how it is set.
public struct ToxicConfiguration: Hashable, Sendable {
    /// Names the toxic on its route, in both directions.
    public var name: String
    /// Names its type in `Toxics.all`.
    public var type: String
    /// Says which way the bytes run that it is put on.
    public var direction: Direction
    /// Is the probability with which a flow meets it, from 0 to 1.
    public var toxicity: Float
    /// Holds its settings by the fields' names; once `validated`, a value for every field, of the field's kind.
    public var attributes: [String: ToxicValue]
    /// Says which flows meet it; nil for all.
    public var match: ToxicMatch?

    /// Makes a configuration, which is not checked yet.
    ///
    /// - Parameters:
    ///   - type: the type's name in `Toxics.all`.
    ///   - direction: the way the bytes run.
    ///   - name: the toxic's name; without one it is `TYPE_DIRECTION`, as in `latency_downstream`.
    ///   - toxicity: the probability with which a flow meets it.
    ///   - attributes: its settings; what is missing has its default.
    ///   - match: which flows meet it; nil for all.
    public init(
        _ type: String,
        _ direction: Direction = .downstream,
        name: String? = nil,
        toxicity: Float = 1,
        attributes: [String: ToxicValue] = [:],
        match: ToxicMatch? = nil
    ) {
        self.name = name ?? "\(type)_\(direction)"
        self.type = type
        self.direction = direction
        self.toxicity = toxicity
        self.attributes = attributes
        self.match = match
    }

    /// Returns the configuration with all attributes filled in and of their fields' kinds.
    ///
    /// - Parameter transport: what it is to be put on; nil asks nothing of it.
    /// - Returns: the complete configuration.
    /// - Throws: `ToxicError` with what is wrong.
    public func validated(for transport: Transport? = nil) throws(ToxicError) -> ToxicConfiguration {
        guard let type = Toxics.type(named: type) else { throw .unknownType(type) }
        guard !name.isEmpty else { throw .invalid(type: type.name, field: "name", reason: "cannot be empty") }
        guard toxicity >= 0, toxicity <= 1 else {
            throw .invalid(type: type.name, field: "toxicity", reason: "takes a number from 0 to 1, not \(toxicity)")
        }
        if let transport, !type.transports.contains(transport) { throw .unsupported(type: type.name, transport) }
        var complete = self
        complete.attributes = try type.completed(attributes)
        // What depends on more than one field is found where the toxic is made.
        _ = try type.toxic(complete.attributes, for: transport ?? type.transports.first ?? .tcp)
        return complete
    }

    /// Lists the attributes in the order of the type's fields, with the defaults of those that are missing.
    public var orderedAttributes: [(name: String, value: ToxicValue)] {
        (Toxics.type(named: type)?.fields ?? []).map { ($0.name, attributes[$0.name] ?? $0.default) }
    }
}

extension [ToxicConfiguration] {
    /// Returns the chain of a route with every configuration completed.
    ///
    /// - Parameter transport: what the route carries.
    /// - Returns: the complete configurations, in the same order.
    /// - Throws: `ToxicError` with what is wrong, also where two have one name.
    public func validated(for transport: Transport? = nil) throws(ToxicError) -> [ToxicConfiguration] {
        var names: Set<String> = []
        var complete: [ToxicConfiguration] = []
        for configuration in self {
            complete.append(try configuration.validated(for: transport))
            guard names.insert(configuration.name).inserted else { throw .duplicate(name: configuration.name) }
        }
        return complete
    }
}
