import WeirAnalysis
import WeirDissect
import WeirWire

/// Packets of IPv4 as a capture has them, with the flows and the counts that they give.
struct ViewCapture: ~Copyable {
    var flows = CaptureFlows()
    var summary = CaptureSummary()

    /// Counts a packet, of which so many bytes were captured.
    mutating func add(_ packet: [UInt8], at time: Int64? = 0, first count: Int? = nil) -> CapturedPacket {
        let bytes = Array(packet.prefix(count ?? packet.count))
        let captured = CapturedPacket(
            timestamp: time,
            range: 0..<bytes.count,
            originalLength: packet.count,
            linkType: .ipv4
        )
        flows.add(captured, bytes.span.bytes)
        summary.add(captured, flows)
        return captured
    }

    /// Makes a datagram between hosts of 10.0.0.0/24.
    static func udp(_ source: (UInt8, UInt16), _ target: (UInt8, UInt16), _ text: String) -> [UInt8] {
        let payload = Array(text.utf8)
        var header = pair(source.1) + pair(target.1)
        header += pair(UInt16(8 + payload.count))
        header += [0, 0]
        return ip(17, source.0, target.0, header + payload)
    }

    /// Makes a segment between hosts of 10.0.0.0/24, with options of whole words.
    static func tcp(
        _ source: (UInt8, UInt16),
        _ target: (UInt8, UInt16),
        _ flags: UInt8,
        number: UInt16 = 1,
        options: [UInt8] = [],
        _ text: String = ""
    ) -> [UInt8] {
        let offset = UInt8(5 + options.count / 4) << 4
        var header = pair(source.1) + pair(target.1)
        header += [0, 0]
        header += pair(number)
        header += [0, 0, 0, 1, offset, flags, 1, 0, 0, 0, 0, 0]
        return ip(6, source.0, target.0, header + options + Array(text.utf8))
    }

    /// Makes a packet of any protocol.
    static func ip(
        _ transport: UInt8,
        _ source: UInt8,
        _ target: UInt8,
        fragment: UInt16 = 0,
        _ content: [UInt8]
    ) -> [UInt8] {
        var head: [UInt8] = [0x45, 0]
        head += pair(UInt16(20 + content.count))
        head += [0xab, 0xcd]
        head += pair(fragment)
        head += [64, transport, 0, 0, 10, 0, 0, source, 10, 0, 0, target]
        return head + content
    }

    private static func pair(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 255)] }
}
