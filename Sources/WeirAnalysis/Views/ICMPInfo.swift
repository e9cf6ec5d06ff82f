import WeirEngine
import WeirWire

/// The text form of an ICMP header, in one line as in tshark 4.0: `Echo (ping) request  id=0x881c, seq=0/0, ttl=64`.
enum ICMPInfo {
    static func append(_ header: ICMPv4Header, timeToLive: UInt8, to output: inout ByteBuffer) {
        switch header.type {
        case 0, 8:
            output.append(header.type == 8 ? "Echo (ping) request  id=0x" : "Echo (ping) reply    id=0x")
            appendEcho(header.rest, to: &output)
            // The number in the other byte order, too, because some systems send it so.
            output.append("/")
            output.appendDecimal(UInt16(truncatingIfNeeded: header.rest).byteSwapped)
            output.append(", ttl=")
            output.appendDecimal(timeToLive)
        default: append(header.type, header.code, v4, to: &output)
        }
    }

    static func append(_ header: ICMPv6Header, hopLimit: UInt8, to output: inout ByteBuffer) {
        switch header.type {
        case 128, 129:
            output.append(header.type == 128 ? "Echo (ping) request id=0x" : "Echo (ping) reply id=0x")
            appendEcho(header.rest, to: &output)
            output.append(", hop limit=")
            output.appendDecimal(hopLimit)
        default: append(header.type, header.code, v6, to: &output)
        }
    }

    private static func appendEcho(_ rest: UInt32, to output: inout ByteBuffer) {
        output.appendHex(rest >> 16, digits: 4)
        output.append(", seq=")
        output.appendDecimal(rest & 0xffff)
    }

    private static func append(
        _ type: UInt8,
        _ code: UInt8,
        _ table: [UInt8: (name: StaticString, codes: [StaticString])],
        to output: inout ByteBuffer
    ) {
        guard let (name, codes) = table[type] else {
            output.append("type \(type), code \(code)")
            return
        }
        output.append(name)
        guard Int(code) < codes.count else { return }
        output.append(" (")
        output.append(codes[Int(code)])
        output.append(")")
    }

    /// Source: IANA, ICMP Type Numbers.
    private static let v4: [UInt8: (name: StaticString, codes: [StaticString])] = [
        3: (
            "Destination unreachable",
            [
                "Network unreachable", "Host unreachable", "Protocol unreachable", "Port unreachable",
                "Fragmentation needed", "Source route failed", "Network unknown", "Host unknown",
                "Source host isolated",
                "Network administratively prohibited", "Host administratively prohibited",
                "Network unreachable for TOS",
                "Host unreachable for TOS", "Communication administratively filtered", "Host precedence violation",
                "Precedence cutoff in effect",
            ]
        ),
        4: ("Source quench (flow control)", []),
        5: (
            "Redirect",
            [
                "Redirect for network", "Redirect for host", "Redirect for TOS and network",
                "Redirect for TOS and host",
            ]
        ),
        9: ("Mobile IP Advertisement", ["Normal router advertisement"]),
        10: ("Router solicitation", []),
        11: (
            "Time-to-live exceeded",
            ["Time to live exceeded in transit", "Fragment reassembly time exceeded"]
        ),
        12: ("Parameter problem", ["Pointer indicates the error", "Required option missing", "Bad length"]),
        13: ("Timestamp request", []),
        14: ("Timestamp reply", []),
        15: ("Information request", []),
        16: ("Information reply", []),
        17: ("Address mask request", []),
        18: ("Address mask reply", []),
    ]

    /// Source: IANA, ICMPv6 Parameters.
    private static let v6: [UInt8: (name: StaticString, codes: [StaticString])] = [
        1: (
            "Destination Unreachable",
            [
                "no route to destination", "Administratively prohibited", "Beyond scope of source address",
                "Address unreachable", "Port unreachable", "Source address failed ingress/egress policy",
                "Reject route to destination", "Error in Source Routing Header",
            ]
        ),
        2: ("Packet Too Big", []),
        3: ("Time Exceeded", ["hop limit exceeded in transit", "fragment reassembly time exceeded"]),
        4: (
            "Parameter Problem",
            [
                "erroneous header field encountered", "unrecognized Next Header type encountered",
                "unrecognized IPv6 option encountered", "IPv6 First Fragment has incomplete IPv6 Header Chain",
            ]
        ),
        130: ("Multicast Listener Query", []),
        131: ("Multicast Listener Report", []),
        132: ("Multicast Listener Done", []),
        133: ("Router Solicitation", []),
        134: ("Router Advertisement", []),
        135: ("Neighbor Solicitation", []),
        136: ("Neighbor Advertisement", []),
        137: ("Redirect", []),
        143: ("Multicast Listener Report Message v2", []),
    ]
}
