/// The reason why bytes could not be decoded, and where.
///
/// Offsets count from the start of the bytes given to the parser, not from the header.
///
/// A wrong length field is `malformed`; missing bytes are `truncated`.
@frozen
public enum DecodeError: Error, Hashable, Sendable {
    /// The bytes end before the header does: the header needs `needed` bytes from `at`, and `available` are there.
    case truncated(needed: Int, available: Int, at: Int)
    /// A field with a value that the protocol does not allow.
    case malformed(HeaderField, at: Int)
    /// A protocol that Weir does not decode.
    case unsupported(ProtocolNumber, at: Int)
}

extension DecodeError {
    /// The offset of the bytes that could not be decoded, from the start of the bytes.
    @inlinable
    public var offset: Int {
        switch self {
        case .truncated(_, _, let offset), .malformed(_, let offset), .unsupported(_, let offset): offset
        }
    }
}

extension DecodeError: CustomStringConvertible {
    /// The text, such as `truncated at 34: 20 bytes needed, 6 available`.
    public var description: String {
        switch self {
        case .truncated(let needed, let available, let offset):
            "truncated at \(offset): \(needed) bytes needed, \(available) available"
        case .malformed(let field, let offset): "malformed at \(offset): \(field.rawValue)"
        case .unsupported(let number, let offset): "unsupported at \(offset): \(number)"
        }
    }
}

/// A header field with an invalid value.
public enum HeaderField: String, Hashable, Sendable, CaseIterable {
    /// A version other than 4.
    case ipv4Version = "IPv4 version"
    /// Under 5 words of 4 bytes.
    case ipv4HeaderLength = "IPv4 header length"
    /// Shorter than the header.
    case ipv4TotalLength = "IPv4 total length"
    /// A version other than 6.
    case ipv6Version = "IPv6 version"
    /// Under 5 words of 4 bytes.
    case tcpHeaderLength = "TCP header length"
    /// An impossible length of a value (TLV) in an NFLOG header.
    case nflogLength = "NFLOG value length"
    /// An impossible length of a CAPWAP header.
    case capwapLength = "CAPWAP header length"
    /// Under 8 bytes, and not 0.
    case udpLength = "UDP length"
    /// A hardware and protocol type other than Ethernet and IPv4.
    case arpKind = "ARP hardware and protocol type"
    /// A version other than 1.
    case pppoeVersion = "PPPoE version"
    /// A version over 1.
    case greVersion = "GRE version"
    /// Routing information is present, as in RFC 1701.
    case greRouting = "GRE routing"
    /// A version other than 1 and 2.
    case erspanVersion = "ERSPAN version"
    /// A version other than 0.
    case geneveVersion = "Geneve version"
    /// A version other than 1, or GTP'.
    case gtpVersion = "GTP version"
    /// A length of 0.
    case gtpExtension = "GTP extension header length"
    /// A version other than 2.
    case pimVersion = "PIM version"
    /// A version other than 0.
    case nshVersion = "NSH version"
    /// Under 2 words of 4 bytes.
    case nshLength = "NSH length"
    /// A version other than 4 and 6.
    case ipVersion = "IP version"
}

/// The number by which a header identifies the next protocol.
@frozen
public enum ProtocolNumber: Hashable, Sendable {
    /// The link type, which identifies the outermost header.
    case linkType(LinkType)
    /// The type in an Ethernet header, or in a header like it.
    case etherType(EtherType)
    /// The service access point in an LLC header.
    case llc(UInt8)
    /// The address family of a BSD loopback header.
    case addressFamily(UInt32)
    /// The protocol number of PPP.
    case ppp(UInt16)
    /// The protocol number in an IP header.
    case internet(IPProtocol)
}

extension ProtocolNumber: CustomStringConvertible {
    /// The text, such as `EtherType 0x88cc`, `IP protocol 89`, `link type 147`.
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
