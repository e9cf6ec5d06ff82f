import WeirWire

/// The TCP payloads of a capture that `text2pcap -T` wrote: Ethernet and IPv4.
package enum CaptureWalk {
    /// Returns the payload of each packet.
    ///
    /// - Throws: `HelperError` if a packet is something else; `CaptureFileError` if the file is damaged.
    package static func tcpPayloads(_ file: [UInt8]) throws -> [[UInt8]] {
        var payloads: [[UInt8]] = []
        var reader = CaptureReader()
        while let item = try reader.next(in: file.span.bytes) {
            guard case .packet(let packet) = item else { continue }
            payloads.append(try payload(Array(file[packet.range])))
        }
        try reader.finish(at: file.count)
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
}
