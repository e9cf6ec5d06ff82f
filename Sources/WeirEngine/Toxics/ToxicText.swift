public import WeirWire

/// A toxic as written on the command line: `latency,down,latency=100,jitter=20`.
///
/// The type comes first, then the direction (`up`, `down` or `both`; by default `down`), then settings: those of the
/// type, and `toxicity`, `name`, `route` (from 1), `match.client`, `match.port`, `match.prefix` and `match.flows`. A
/// comma within a value is written `\,`.
public struct ToxicText: Hashable, Sendable {
    /// The configurations: two if the toxic applies to both directions.
    public var configurations: [ToxicConfiguration]
    /// The index of the route, from 0; nil for all routes.
    public var route: Int?

    /// Reads a toxic.
    ///
    /// - Parameter text: the text.
    /// - Throws: `ToxicError` with the field and the reason.
    public init(_ text: String) throws(ToxicError) {
        var parts = Self.split(text)[...]
        let name = parts.popFirst() ?? ""
        guard let type = Toxics.type(named: name) else {
            if name.isEmpty || name.contains("=") { throw .malformed(text: text, reason: "it begins with a type") }
            throw .unknownType(name)
        }
        var directions = [Direction.downstream]
        if let first = parts.first, !first.contains("=") {
            guard let named = Self.directions(first) else {
                throw .malformed(text: text, reason: "'\(first)' is neither up, down, both nor FIELD=VALUE")
            }
            directions = named
            parts.removeFirst()
        }
        var settings = Settings()
        for part in parts { try settings.take(part, of: type, in: text) }
        configurations = directions.map { settings.configuration(type, $0, isOneOfTwo: directions.count == 2) }
        route = settings.route
        // Mistakes are reported at once, before the routes are known.
        for configuration in configurations { _ = try configuration.validated() }
    }

    /// Reads a direction: `up`, `upstream`, `down`, `downstream` or `both`; returns nil for anything else.
    public static func directions(_ name: String) -> [Direction]? {
        switch name {
        case "up", "upstream": [.upstream]
        case "down", "downstream": [.downstream]
        case "both": [.upstream, .downstream]
        default: nil
        }
    }

    /// Splits at commas that are not preceded by a backslash.
    private static func split(_ text: String) -> [String] {
        var parts = [""]
        var isEscaped = false
        for character in text {
            if isEscaped {
                parts[parts.count - 1] += character == "," ? "," : "\\\(character)"
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "," {
                parts.append("")
            } else {
                parts[parts.count - 1].append(character)
            }
        }
        if isEscaped { parts[parts.count - 1] += "\\" }
        return parts
    }

    /// The settings, collected one by one.
    private struct Settings {
        var name: String?
        var toxicity: Float = 1
        var attributes: [String: ToxicValue] = [:]
        var match = ToxicMatch()
        var route: Int?

        mutating func take(_ part: String, of type: ToxicType, in text: String) throws(ToxicError) {
            guard let equals = part.firstIndex(of: "=") else {
                throw .malformed(text: text, reason: "'\(part)' is not FIELD=VALUE")
            }
            let key = String(part[..<equals])
            let value = String(part[part.index(after: equals)...])
            func wrong(_ reason: String) -> ToxicError { .invalid(type: type.name, field: key, reason: reason) }
            if let field = type.field(key) {
                attributes[key] = try field.value(parsing: value, of: type.name)
                return
            }
            switch key {
            case "name": name = value
            case "toxicity":
                guard let number = Float(value) else { throw wrong("takes a number from 0 to 1, not '\(value)'") }
                toxicity = number
            case "route":
                guard let number = Int(value), number > 0 else { throw wrong("takes a number from 1, not '\(value)'") }
                route = number - 1
            case _ where key.hasPrefix("match."):
                if let reason = match.take(String(key.dropFirst(6)), value) { throw wrong(reason) }
            default:
                _ = try type.completed([key: .string(value)])
            }
        }

        func configuration(_ type: ToxicType, _ direction: Direction, isOneOfTwo: Bool) -> ToxicConfiguration {
            ToxicConfiguration(
                type.name,
                direction,
                name: name.map { isOneOfTwo ? "\($0)_\(direction)" : $0 },
                toxicity: toxicity,
                attributes: attributes,
                match: match == ToxicMatch() ? nil : match
            )
        }
    }
}

extension ToxicMatch {
    /// Reads one condition.
    ///
    /// - Parameters:
    ///   - key: `client`, `port`, `prefix` or `flows`.
    ///   - value: the value: an address or `10.0.0.0/8`, a port or `5000-6000`, bytes as in `BytePattern`, a number.
    /// - Returns: what is wrong; nil if nothing is.
    public mutating func take(_ key: String, _ value: String) -> String? {
        switch key {
        case "client":
            guard let network = Network(value) else { return "takes an address, or a range as 10.0.0.0/8" }
            client = network
        case "port":
            let ends = value.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map { UInt16($0) }
            guard let first = ends[0], let last = ends[ends.count - 1], first <= last else {
                return "takes a port, or a range as 5000-6000"
            }
            ports = first...last
        case "prefix":
            guard let pattern = BytePattern(value), (1...256).contains(pattern.bytes.count) else {
                return "takes 1 to 256 bytes, as a text or hex:48656c6c6f"
            }
            prefix = pattern
        case "flows":
            guard let number = Int(value), number > 0 else { return "takes a number from 1" }
            flows = number
        default: return "is no condition; there are client, port, prefix and flows"
        }
        return nil
    }
}
