/// Holds one setting of a toxic.
public enum ToxicValue: Hashable, Sendable, CustomStringConvertible {
    /// Is a whole number.
    case int(Int)
    /// Is a number.
    case double(Double)
    /// Is a text.
    case string(String)
    /// Is a truth value.
    case bool(Bool)

    /// Prints the value as it stands on the command line.
    public var description: String {
        switch self {
        case .int(let value): "\(value)"
        case .double(let value): "\(value)"
        case .string(let value): value
        case .bool(let value): "\(value)"
        }
    }
}
