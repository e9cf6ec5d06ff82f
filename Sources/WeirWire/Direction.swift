/// The direction of bytes through a flow.
@frozen
public enum Direction: UInt8, Sendable, Hashable, CaseIterable {
    /// From the client to the server.
    case upstream
    /// From the server to the client.
    case downstream

    /// The other direction.
    @inlinable
    public var opposite: Direction {
        switch self {
        case .upstream: .downstream
        case .downstream: .upstream
        }
    }

    /// The short name for a terminal line, `up` or `down`.
    @inlinable
    public var label: String {
        switch self {
        case .upstream: "up"
        case .downstream: "down"
        }
    }
}

extension Direction: CustomStringConvertible {
    /// The text `upstream` or `downstream`.
    @inlinable
    public var description: String {
        switch self {
        case .upstream: "upstream"
        case .downstream: "downstream"
        }
    }
}
