public import WeirWire

/// The reason why a toxic is refused.
public enum ToxicError: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is no such type.
    case unknownType(String)
    /// A type has no such setting, or the setting cannot have this value.
    ///
    /// The fields of every toxic are `toxicity`, `name`, `stream` and `match`.
    case invalid(type: String, field: String, reason: String)
    /// Two toxics of one route have the same name.
    case duplicate(name: String)
    /// The type has no meaning for the route's transport.
    case unsupported(type: String, Transport)
    /// The route has no toxic with this name.
    case unknownName(String)
    /// There is no such route.
    case unknownRoute(Int)
    /// The text of a toxic on the command line cannot be read.
    case malformed(text: String, reason: String)

    /// The name of the wrong field; nil if it is not one field.
    public var field: String? {
        if case .invalid(_, let field, _) = self { field } else { nil }
    }

    /// The reason, without the field's name.
    public var reason: String {
        switch self {
        case .unknownType(let type):
            Self.unknown(type, among: Toxics.all.map(\.name))
        case .invalid(_, _, let reason): reason
        case .duplicate(let name): "there is a toxic with the name '\(name)' already"
        case .unsupported(let type, let transport): "the toxic '\(type)' does nothing to \(transport)"
        case .unknownName(let name): "there is no toxic with the name '\(name)'"
        case .unknownRoute(let route): "there is no route \(route + 1)"
        case .malformed(let text, let reason):
            "'\(text)' is no toxic: \(reason); a toxic is TYPE,up|down,FIELD=VALUE..., as in latency,down,latency=100"
        }
    }

    private static func unknown(_ type: String, among types: [String]) -> String {
        let list = types.joined(separator: ", ")
        guard let near = Spelling.nearest(to: type, among: types) else {
            return "there is no toxic '\(type)'; the types are \(list)"
        }
        return "there is no toxic '\(type)'; did you mean '\(near)'? The types are \(list)"
    }

    /// The error in one line.
    public var description: String {
        if case .invalid(let type, let field, let reason) = self {
            return "toxic '\(type)': \(field) \(reason)"
        }
        return reason
    }
}
