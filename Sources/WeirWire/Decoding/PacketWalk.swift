/// A walk over the headers of one packet, outermost first.
///
/// Each step reads one header, sets the next header's kind and place, and narrows the end to the length in the header.
struct PacketWalk {
    /// The header to read next.
    enum Next {
        /// Nothing: the rest is payload.
        case payload
        case unsupported(LinkType)
        case ethernet
        case type(EtherType)
        case llc
        case loopback
        case linuxCooked
        case linuxCooked2
        case ciscoHDLC
        case nflog
        case wireless
        case ip
        case ipv4
        case ipv6
        case ppp
        case mpls
        case gre
        case erspan
        case nsh
        case internet(IPProtocol)
    }

    var next: Next
    /// The offset of the next header.
    var offset = 0
    /// The end of the packet on the wire according to the headers so far; it may be past the captured bytes.
    var end: Int
    /// The end that the innermost IP packet declares, even if the layers around it end earlier.
    var declaredEnd = 0
    // The addresses of the innermost IP header, as whole words: reading them back as they were written costs nothing.
    private var sourceHigh: UInt64 = 0
    private var sourceLow: UInt64 = 0
    private var destinationHigh: UInt64 = 0
    private var destinationLow: UInt64 = 0
    private var family: IPAddress.Family = .v4
    /// The innermost VLAN.
    var vlan: UInt16 = 0
    /// Whether the walk is within the packet that an ICMP error quotes.
    var isQuoted = false
    /// Whether the walk is within a reassembled datagram.
    var isReassembled = false
    /// Whether a whole fragment is left to the reassembler; otherwise the walk reads on into the first fragment.
    let leavesFragments: Bool

    init(_ linkType: LinkType, end: Int, leavesFragments: Bool) {
        self.end = end
        self.leavesFragments = leavesFragments
        switch linkType {
        case .ethernet: next = .ethernet
        case .null, .loop: next = .loopback
        case .linuxSLL: next = .linuxCooked
        case .linuxSLL2: next = .linuxCooked2
        case .ciscoHDLC: next = .ciscoHDLC
        case .nflog: next = .nflog
        case .raw, .rawBSD, .rawOpenBSD: next = .ip
        case .ipv4: next = .ipv4
        case .ipv6: next = .ipv6
        case .ppp: next = .ppp
        default: next = .unsupported(linkType)
        }
    }

    /// The addresses of the innermost IP header.
    var addresses: AddressPair {
        @inline(__always) get { AddressPair(source: source, destination: destination) }
        @inline(__always) set {
            (sourceHigh, sourceLow, family) = (newValue.source.high, newValue.source.low, newValue.source.family)
            (destinationHigh, destinationLow) = (newValue.destination.high, newValue.destination.low)
        }
    }

    /// The sender according to the innermost IP header.
    @inline(__always)
    var source: IPAddress { address(sourceHigh, sourceLow) }

    /// The receiver according to the innermost IP header; with a source route, the last address of the route.
    @inline(__always)
    var destination: IPAddress { address(destinationHigh, destinationLow) }

    @inline(__always)
    private func address(_ high: UInt64, _ low: UInt64) -> IPAddress {
        family == .v4 ? IPAddress(v4: UInt32(truncatingIfNeeded: low)) : IPAddress(v6: high, low: low)
    }

    /// Whether the innermost IP header is one of IPv4.
    var isV4: Bool { family == .v4 }

    /// Reads headers up to the payload, a fragment or something that is not understood.
    @inline(__always)
    mutating func run(_ bytes: RawSpan, into packet: inout DecodedPacket) {
        if !readPlain(bytes, into: &packet) { walk(bytes, into: &packet) }
    }

    /// Reads one header after another.
    mutating func walk(_ bytes: RawSpan, into packet: inout DecodedPacket) {
        do throws(DecodeError) {
            while true {
                if case .payload = next { break }
                try step(bytes.extracting(first: min(end, bytes.byteCount)), &packet)
            }
        } catch {
            packet.stop = error
        }
        packet.payload = range(offset, end, in: bytes)
        packet.isPayloadReassembled = isReassembled
    }

    @inline(__always)
    private mutating func step(_ bytes: RawSpan, _ packet: inout DecodedPacket) throws(DecodeError) {
        switch next {
        case .payload: break
        case .unsupported(let type): throw .unsupported(.linkType(type), at: 0)
        case .ethernet: try ethernet(bytes, &packet)
        case .type(let type): try etherType(type, bytes, &packet)
        case .llc: try llc(bytes, &packet)
        case .loopback: try loopback(bytes, &packet)
        case .linuxCooked: try linuxCooked(bytes, &packet)
        case .linuxCooked2: try linuxCooked2(bytes, &packet)
        case .ciscoHDLC: try ciscoHDLC(bytes, &packet)
        case .nflog: try nflog(bytes, &packet)
        case .wireless: try wireless(bytes, &packet)
        case .ip: try ip(bytes)
        case .ipv4: try ipv4(bytes, &packet)
        case .ipv6: try ipv6(bytes, &packet)
        case .ppp: try ppp(bytes, &packet)
        case .mpls: try mpls(bytes, &packet)
        case .gre: try gre(bytes, &packet)
        case .erspan: try erspan(bytes, &packet)
        case .nsh: try nsh(bytes, &packet)
        case .internet(let number): try internet(number, bytes, &packet)
        }
    }

    /// Appends the header just read to the layers, and moves past it.
    @inline(__always)
    mutating func pass(_ kind: LayerKind, _ length: Int, _ packet: inout DecodedPacket) {
        packet.layers.append(kind, start: offset, length: length, isReassembled: isReassembled)
        offset &+= length
    }

    /// Narrows the end to a number of bytes from the next header on, if it was further away.
    @inline(__always)
    mutating func limit(to length: Int) {
        end = min(end, offset &+ length)
    }

    /// Returns the captured part of the bytes from one offset to another.
    @inline(__always)
    func range(_ start: Int, _ end: Int, in bytes: RawSpan) -> Range<Int> {
        let last = min(max(end, 0), bytes.byteCount)
        return min(start, last)..<last
    }
}
