/// Says why bytes were not understood, and where.
///
/// Offsets count from the start of the bytes that the parser was given, not from the header.
///
/// A lie in a length is `malformed`; bytes that are missing are `truncated`.
@frozen
public enum DecodeError: Error, Hashable, Sendable {
    /// Ends before a header does: `needed` bytes were to come at `at`, `available` did.
    case truncated(needed: Int, available: Int, at: Int)
    /// Holds a value that the protocol does not allow.
    case malformed(HeaderField, at: Int)
    /// Holds a protocol that Weir does not read.
    case unsupported(ProtocolNumber, at: Int)
}

extension DecodeError {
    /// Gives where the bytes stop making sense, in bytes from their start.
    @inlinable
    public var offset: Int {
        switch self {
        case .truncated(_, _, let offset), .malformed(_, let offset), .unsupported(_, let offset): offset
        }
    }
}

extension DecodeError: CustomStringConvertible {
    /// Prints `truncated at 34: 20 bytes needed, 6 available`.
    public var description: String {
        switch self {
        case .truncated(let needed, let available, let offset):
            "truncated at \(offset): \(needed) bytes needed, \(available) available"
        case .malformed(let field, let offset): "malformed at \(offset): \(field.rawValue)"
        case .unsupported(let number, let offset): "unsupported at \(offset): \(number)"
        }
    }
}

/// Names a field of a header that can hold a wrong value.
public enum HeaderField: String, Hashable, Sendable, CaseIterable {
    /// Is not 4.
    case ipv4Version = "IPv4 version"
    /// Is under 5 words.
    case ipv4HeaderLength = "IPv4 header length"
    /// Is shorter than the header.
    case ipv4TotalLength = "IPv4 total length"
    /// Is not 6.
    case ipv6Version = "IPv6 version"
    /// Is under 5 words.
    case tcpHeaderLength = "TCP header length"
    /// Is under 8, and not 0.
    case udpLength = "UDP length"
}

/// Names a protocol by the number that a header gives it.
@frozen
public enum ProtocolNumber: Hashable, Sendable {
    /// Follows an Ethernet header, or one like it.
    case etherType(EtherType)
    /// Follows an IP header.
    case internet(IPProtocol)
}

extension ProtocolNumber: CustomStringConvertible {
    /// Prints `EtherType 0x88cc`, `IP protocol 89`.
    public var description: String {
        switch self {
        case .etherType(let type): "EtherType \(type)"
        case .internet(let number): "IP protocol \(number.rawValue)"
        }
    }
}
