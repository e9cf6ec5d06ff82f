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
    /// The length of a value in a header of netfilter's log.
    case nflogLength = "NFLOG value length"
    /// The length of a CAPWAP header.
    case capwapLength = "CAPWAP header length"
    /// Is under 8, and not 0.
    case udpLength = "UDP length"
    /// Is not IPv4 over Ethernet.
    case arpKind = "ARP hardware and protocol type"
    /// Is not 1.
    case pppoeVersion = "PPPoE version"
    /// Is over 1.
    case greVersion = "GRE version"
    /// Is there, as RFC 1701 had it.
    case greRouting = "GRE routing"
    /// Is neither 1 nor 2.
    case erspanVersion = "ERSPAN version"
    /// Is not 0.
    case geneveVersion = "Geneve version"
    /// Is not 1, or it is GTP'.
    case gtpVersion = "GTP version"
    /// Is 0.
    case gtpExtension = "GTP extension header length"
    /// Is not 2.
    case pimVersion = "PIM version"
    /// Is not 0.
    case nshVersion = "NSH version"
    /// Is under 2 words.
    case nshLength = "NSH length"
    /// Is neither 4 nor 6.
    case ipVersion = "IP version"
}

/// Names a protocol by the number that a header gives it.
@frozen
public enum ProtocolNumber: Hashable, Sendable {
    /// Is the outermost header.
    case linkType(LinkType)
    /// Follows an Ethernet header, or one like it.
    case etherType(EtherType)
    /// Is the access point of an LLC header.
    case llc(UInt8)
    /// Is the address family of a BSD loopback.
    case addressFamily(UInt32)
    /// Follows PPP's protocol number.
    case ppp(UInt16)
    /// Follows an IP header.
    case internet(IPProtocol)
}

extension ProtocolNumber: CustomStringConvertible {
    /// Prints `EtherType 0x88cc`, `IP protocol 89`, `link type 147`.
    public var description: String {
        switch self {
        case .linkType(let type): "\(type)"
        case .etherType(let type): "EtherType \(type)"
        case .llc(let number): "LLC access point \(number)"
        case .addressFamily(let number): "address family \(number)"
        case .ppp(let number): "PPP protocol \(number)"
        case .internet(let number): "IP protocol \(number.rawValue)"
        }
    }
}
