/// Says what a TCP segment means to open, acknowledge, hurry or end.
///
/// Source: RFC 9293 section 3.1, RFC 3168 section 6.1, RFC 9768 (AE).
@frozen
public struct TCPFlags: OptionSet, Hashable, Sendable {
    /// Holds the 12 bits beside the header's length: 3 reserved ones, AE, CWR, ECE, URG, ACK, PSH, RST, SYN, FIN.
    public let rawValue: UInt16

    /// Creates flags from the low 12 bits of a number.
    @inlinable
    public init(rawValue: UInt16) {
        self.rawValue = rawValue & 0xfff
    }

    /// Ends the sender's stream.
    @inlinable
    public static var fin: TCPFlags { TCPFlags(rawValue: 0x001) }
    /// Opens a connection and says where its sequence numbers begin.
    @inlinable
    public static var syn: TCPFlags { TCPFlags(rawValue: 0x002) }
    /// Ends the connection at once.
    @inlinable
    public static var rst: TCPFlags { TCPFlags(rawValue: 0x004) }
    /// Asks that the bytes be handed on now.
    @inlinable
    public static var psh: TCPFlags { TCPFlags(rawValue: 0x008) }
    /// Says that the acknowledgment number counts.
    @inlinable
    public static var ack: TCPFlags { TCPFlags(rawValue: 0x010) }
    /// Says that the urgent pointer counts.
    @inlinable
    public static var urg: TCPFlags { TCPFlags(rawValue: 0x020) }
    /// Echoes a mark of congestion.
    @inlinable
    public static var ece: TCPFlags { TCPFlags(rawValue: 0x040) }
    /// Says that the congestion window was reduced.
    @inlinable
    public static var cwr: TCPFlags { TCPFlags(rawValue: 0x080) }
    /// Is the third bit of the accurate congestion count.
    @inlinable
    public static var ae: TCPFlags { TCPFlags(rawValue: 0x100) }
}
