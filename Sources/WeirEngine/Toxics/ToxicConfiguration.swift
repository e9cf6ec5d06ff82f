public import WeirWire

/// A toxic on one direction of a route, and its settings.
public struct ToxicConfiguration: Hashable, Sendable {
    /// The name of the toxic on its route, unique across both directions.
    public var name: String
    /// The name of its type in `Toxics.all`.
    public var type: String
    /// The direction of the bytes to which it applies.
    public var direction: Direction
    /// The probability that it acts on a flow, 0...1.
    public var toxicity: Float
    /// The settings by the fields' names; after `validated`, a value of the field's kind for every field.
    public var attributes: [String: ToxicValue]
    /// The condition on flows; nil for all flows.
    public var match: ToxicMatch?

    /// Creates a configuration without checking it.
    ///
    /// - Parameters:
    ///   - type: the type's name in `Toxics.all`.
    ///   - direction: the direction of the bytes.
    ///   - name: the toxic's name; without one it is `TYPE_DIRECTION`, as in `latency_downstream`.
    ///   - toxicity: the probability that it acts on a flow, 0...1.
    ///   - attributes: the settings; a missing one has its default.
    ///   - match: the condition on flows; nil for all flows.
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

    /// Returns the configuration with a value of the right kind for every attribute.
    ///
    /// - Parameter transport: the transport of the route; nil to skip that check.
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
        // Rules about more than one field are checked when the toxic is made.
        _ = try type.toxic(complete.attributes, for: transport ?? type.transports.first ?? .tcp)
        return complete
    }

    /// The attributes in the order of the type's fields, with defaults for missing ones.
    public var orderedAttributes: [(name: String, value: ToxicValue)] {
        (Toxics.type(named: type)?.fields ?? []).map { ($0.name, attributes[$0.name] ?? $0.default) }
    }
}

extension [ToxicConfiguration] {
    /// Returns a route's list of toxics with every configuration completed.
    ///
    /// - Parameter transport: the transport of the route; nil to skip that check.
    /// - Returns: the complete configurations, in the same order.
    /// - Throws: `ToxicError` with what is wrong, also if two have the same name.
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
