import WeirWire

/// The text form of the subject of a Neighbor Discovery message: ` for fe80::2 from 00:11:22:33:44:55`.
///
/// Source: RFC 4861 sections 4.2 to 4.4 and 4.6.1.
enum NeighborInfo {
    static func append(_ header: ICMPv6Header, _ bytes: RawSpan, to output: inout ByteBuffer) {
        switch header.type {
        case 134: appendLink(bytes, from: 16, kind: 1, " from ", to: &output)
        case 135:
            guard let target = target(bytes) else { return }
            output.append(" for ")
            target.write(to: &output)
            appendLink(bytes, from: 24, kind: 1, " from ", to: &output)
        case 136:
            guard let target = target(bytes) else { return }
            output.append(" ")
            target.write(to: &output)
            var separator: StaticString = " ("
            for (bit, name) in [(UInt32(31), "rtr"), (30, "sol"), (29, "ovr")] where header.rest >> bit & 1 == 1 {
                output.append(separator)
                output.append(name)
                separator = ", "
            }
            if header.rest >> 29 != 0 { output.append(")") }
            appendLink(bytes, from: 24, kind: 2, " is at ", to: &output)
        default: break
        }
    }

    private static func target(_ bytes: RawSpan) -> IPAddress? {
        guard bytes.byteCount >= 24 else { return nil }
        return IPAddress(v6: number(bytes, at: 8), low: number(bytes, at: 16))
    }

    /// Appends the first Ethernet address among the options.
    private static func appendLink(
        _ bytes: RawSpan,
        from start: Int,
        kind: UInt8,
        _ word: StaticString,
        to output: inout ByteBuffer
    ) {
        var offset = start
        while offset + 8 <= bytes.byteCount {
            let (type, units) = (byte(bytes, at: offset), Int(byte(bytes, at: offset + 1)))
            guard units > 0 else { return }
            if type == kind, units == 1 {
                output.append(word)
                MACAddress(number(bytes, at: offset)).write(to: &output)
                return
            }
            offset += units * 8
        }
    }

    private static func byte(_ bytes: RawSpan, at offset: Int) -> UInt8 {
        bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    private static func number(_ bytes: RawSpan, at offset: Int) -> UInt64 {
        UInt64(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
}
