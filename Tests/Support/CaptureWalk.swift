/// Reads the TCP payloads out of a capture as `text2pcap -T` writes it: pcapng, little-endian, Ethernet and IPv4.
///
/// Source: draft-ietf-opsawg-pcapng section 4.3.
package enum CaptureWalk {
    private static let enhancedPacketBlock = 6

    /// Returns the payload of each packet.
    ///
    /// - Throws: `HelperError` where the file is something else.
    package static func tcpPayloads(_ file: [UInt8]) throws -> [[UInt8]] {
        var payloads: [[UInt8]] = []
        var start = 0
        while start < file.count {
            let (type, length) = (try number(file, start, 4), try number(file, start + 4, 4))
            guard length >= 12, start + length <= file.count else { throw HelperError("no block at \(start)") }
            if type == enhancedPacketBlock {
                let captured = try number(file, start + 20, 4)
                payloads.append(try payload(Array(file[(start + 28)..<(start + 28 + captured)])))
            }
            start += length
        }
        return payloads
    }

    private static func payload(_ packet: [UInt8]) throws -> [UInt8] {
        guard packet.count >= 54, packet[12...14] == [8, 0, 0x45], packet[23] == 6 else {
            throw HelperError("not TCP over IPv4 over Ethernet: \(packet.prefix(54))")
        }
        let end = 14 + Int(packet[16]) << 8 + Int(packet[17])
        let start = 34 + Int(packet[46] >> 4) * 4
        guard start <= end, end <= packet.count else { throw HelperError("a header's length is wrong") }
        return Array(packet[start..<end])
    }

    private static func number(_ file: [UInt8], _ offset: Int, _ width: Int) throws -> Int {
        guard offset + width <= file.count else { throw HelperError("the file ends at \(file.count)") }
        return (0..<width).reduce(0) { $0 | Int(file[offset + $1]) << (8 * $1) }
    }
}
