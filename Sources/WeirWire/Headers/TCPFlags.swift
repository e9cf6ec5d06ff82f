/// The control bits of a TCP segment.
///
/// Source: RFC 9293 section 3.1, RFC 3168 section 6.1, RFC 9768 (AE).
@frozen
public struct TCPFlags: OptionSet, Hashable, Sendable {
    /// The 12 bits after the header length: 3 reserved ones, AE, CWR, ECE, URG, ACK, PSH, RST, SYN, FIN.
    public let rawValue: UInt16

    /// Creates flags from the low 12 bits of a number.
    @inlinable
    public init(rawValue: UInt16) {
        self.rawValue = rawValue & 0xfff
    }

    /// The end of the sender's stream.
    @inlinable
    public static var fin: TCPFlags { TCPFlags(rawValue: 0x001) }
    /// The start of a connection, with the first sequence number.
    @inlinable
    public static var syn: TCPFlags { TCPFlags(rawValue: 0x002) }
    /// The immediate end of the connection.
    @inlinable
    public static var rst: TCPFlags { TCPFlags(rawValue: 0x004) }
    /// A request to deliver the bytes to the application now.
    @inlinable
    public static var psh: TCPFlags { TCPFlags(rawValue: 0x008) }
    /// The acknowledgment number is valid.
    @inlinable
    public static var ack: TCPFlags { TCPFlags(rawValue: 0x010) }
    /// The urgent pointer is valid.
    @inlinable
    public static var urg: TCPFlags { TCPFlags(rawValue: 0x020) }
    /// The echo of a congestion mark.
    @inlinable
    public static var ece: TCPFlags { TCPFlags(rawValue: 0x040) }
    /// The congestion window was reduced.
    @inlinable
    public static var cwr: TCPFlags { TCPFlags(rawValue: 0x080) }
    /// The third bit of the accurate ECN counter.
    @inlinable
    public static var ae: TCPFlags { TCPFlags(rawValue: 0x100) }
}
