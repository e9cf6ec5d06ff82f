import WeirEngine
import WeirRelay
import WeirWire

/// The toxics of proxies, for Toxiproxy's clients.
extension ProxyBook {
    /// Returns a proxy's toxics: those of upstream first, each direction in the order of its chain.
    func toxics(of status: RouteStatus, streams: [String: String]) -> [JSONValue] {
        Self.ordered(status.toxics).map { Self.json($0, stream: streams[$0.name]) }
    }

    private static func ordered(_ chain: [ToxicConfiguration]) -> [ToxicConfiguration] {
        chain.filter { $0.direction == .upstream } + chain.filter { $0.direction == .downstream }
    }

    static func json(_ toxic: ToxicConfiguration, stream: String? = nil) -> JSONValue {
        let attributes = toxic.orderedAttributes.map { JSONValue.Member($0.name, Self.json($0.value)) }
        return [
            "attributes": .object(attributes), "name": .string(toxic.name), "type": .string(toxic.type),
            "stream": .string(stream ?? "\(toxic.direction)"), "toxicity": .float(toxic.toxicity),
        ]
    }

    static func json(_ value: ToxicValue) -> JSONValue {
        switch value {
        case .int(let value): .int(value)
        case .double(let value): .float(value)
        case .string(let value): .string(value)
        case .bool(let value): .bool(value)
        }
    }

    func toxic(_ proxy: String, _ name: String) throws -> JSONValue {
        let toxics = try route(proxy).toxics
        guard let toxic = toxics.first(where: { $0.name == name }) else { throw ToxiproxyError.toxicNotFound }
        return Self.json(toxic, stream: stream(of: name, on: proxy))
    }

    /// Adds a toxic to a proxy, including its open flows.
    func addToxic(_ proxy: String, _ body: [UInt8]) async throws -> JSONValue {
        let status = try route(proxy)
        let input = try ProxyInput(body)
        let type = try input.string("type") ?? ""
        let stream = try input.string("stream") ?? "downstream"
        let toxicity = try input.float("toxicity") ?? 1
        let given = try input.string("name") ?? ""
        let attributes = try input.object("attributes")
        guard let direction = Self.direction(stream) else { throw ToxiproxyError.invalidStream }
        guard let known = Toxics.type(named: type) else { throw ToxiproxyError.invalidType }
        let name = given.isEmpty ? "\(type)_\(stream)" : given
        guard !status.toxics.contains(where: { $0.name == name }) else { throw ToxiproxyError.toxicExists }
        let toxic = ToxicConfiguration(
            type,
            direction,
            name: name,
            toxicity: toxicity,
            attributes: try Self.attributes(attributes, of: known)
        )
        let made = try await change(status) { chain throws(ToxicError) in
            guard !chain.contains(where: { $0.name == name }) else { throw .duplicate(name: name) }
            let complete = try toxic.validated(for: status.route.transport)
            chain.append(complete)
            return complete
        }
        setStream(stream, of: name, on: proxy)
        return Self.json(made, stream: stream)
    }

    /// Changes the given attributes of a toxic, and its toxicity.
    func updateToxic(_ proxy: String, _ name: String, _ body: [UInt8]) async throws -> JSONValue {
        let status = try route(proxy)
        guard let old = status.toxics.first(where: { $0.name == name }),
            let type = Toxics.type(named: old.type)
        else { throw ToxiproxyError.toxicNotFound }
        let input = try ProxyInput(body)
        let attributes = try Self.attributes(try input.object("attributes"), of: type)
        let toxicity = try input.float("toxicity")
        let changed = try await change(status) { chain throws(ToxicError) in
            guard let index = chain.firstIndex(where: { $0.name == name }) else { throw .unknownName(name) }
            chain[index].attributes.merge(attributes) { $1 }
            if let toxicity { chain[index].toxicity = toxicity }
            chain[index] = try chain[index].validated(for: status.route.transport)
            return chain[index]
        }
        return Self.json(changed, stream: stream(of: name, on: proxy))
    }

    func deleteToxic(_ proxy: String, _ name: String) async throws {
        let status = try route(proxy)
        try await change(status) { chain throws(ToxicError) in
            guard chain.contains(where: { $0.name == name }) else { throw .unknownName(name) }
            chain.removeAll { $0.name == name }
        }
    }

    func removeToxics(_ status: RouteStatus) async throws {
        try await change(status) { chain throws(ToxicError) in chain = [] }
    }

    // MARK: - Helpers

    /// Reads a stream's name in any case, like Toxiproxy; nil if it is neither direction.
    static func direction(_ stream: String) -> Direction? {
        switch stream.lowercased() {
        case "upstream": .upstream
        case "downstream": .downstream
        default: nil
        }
    }

    /// Reads the attributes that the type has; others are ignored, and null leaves one unchanged.
    private static func attributes(
        _ members: [JSONValue.Member],
        of type: ToxicType
    ) throws(ToxiproxyError) -> [String: ToxicValue] {
        var values: [String: ToxicValue] = [:]
        for member in members {
            guard let field = type.field(member.key) ?? type.field(member.key.lowercased()) else { continue }
            let value: ToxicValue
            switch member.value {
            case .null: continue
            case .bool(let bool): value = .bool(bool)
            case .string(let text): value = .string(text)
            case .number(let text):
                guard let number = Int(text).map(ToxicValue.int) ?? Double(text).map(ToxicValue.double) else {
                    throw .badBody("attributes.\(field.name) is no number that can be had")
                }
                value = number
            case .array, .object:
                throw .badBody("json: cannot unmarshal \(member.value.kind) into attributes.\(field.name)")
            }
            do throws(ToxicError) {
                values[field.name] = try field.checked(value, of: type.name)
            } catch {
                throw .badBody(error)
            }
        }
        return values
    }

    /// Changes a proxy's chain in one step.
    private func change<Result: Sendable>(
        _ status: RouteStatus,
        _ change: @Sendable (inout [ToxicConfiguration]) throws(ToxicError) -> Result
    ) async throws(ToxiproxyError) -> Result {
        do throws(ToxicError) {
            return try await relay.updateToxics(route: status.number, change)
        } catch {
            switch error {
            case .unknownType: throw .invalidType
            case .duplicate: throw .toxicExists
            case .unknownName: throw .toxicNotFound
            case .unknownRoute: throw .proxyNotFound
            case .invalid, .unsupported, .malformed: throw .badBody(error)
            }
        }
    }
}
