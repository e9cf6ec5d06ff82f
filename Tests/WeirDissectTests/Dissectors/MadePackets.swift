@testable import WeirDissect
@testable import WeirWire

/// Packets of IPv4 between 10.0.0.1 and a server at 10.0.0.2, whose checksums are left out.
enum MadePackets {
    /// Returns a TCP segment with a first byte's number, and the other side's next one.
    static func segment(
        _ content: [UInt8],
        _ number: UInt32,
        client: UInt16 = 50_000,
        port: UInt16 = 80,
        flags: UInt8 = 0x18,
        isAnswer: Bool = false
    ) -> [UInt8] {
        let acknowledged: UInt32 = isAnswer ? 1000 : 1
        let numbers = [number, acknowledged].flatMap { number in
            stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> UInt32($0)) }
        }
        let header = ports(client, port, isAnswer) + numbers + [0x50, flags, 255, 255, 0, 0, 0, 0]
        return ip(6, header + content, isAnswer)
    }

    /// Returns a UDP datagram.
    static func datagram(
        _ content: [UInt8],
        client: UInt16 = 50_000,
        port: UInt16,
        isAnswer: Bool = false
    ) -> [UInt8] {
        ip(17, ports(client, port, isAnswer) + [0, UInt8(8 + content.count), 0, 0] + content, isAnswer)
    }

    private static func ports(_ client: UInt16, _ port: UInt16, _ isAnswer: Bool) -> [UInt8] {
        (isAnswer ? [port, client] : [client, port]).flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
    }

    private static func ip(_ transport: UInt8, _ content: [UInt8], _ isAnswer: Bool) -> [UInt8] {
        let ends: [UInt8] = isAnswer ? [10, 0, 0, 2, 10, 0, 0, 1] : [10, 0, 0, 1, 10, 0, 0, 2]
        return [0x45, 0, 0, UInt8(20 + content.count), 0, 0, 0, 0, 64, transport, 0, 0] + ends + content
    }

    /// Returns the packet that a capture has of so many bytes of one.
    static func captured(_ packet: [UInt8], first count: Int? = nil) -> (packet: CapturedPacket, bytes: [UInt8]) {
        let bytes = Array(packet.prefix(count ?? packet.count))
        let captured = CapturedPacket(
            timestamp: 0,
            range: 0..<bytes.count,
            originalLength: packet.count,
            linkType: .ipv4
        )
        return (captured, bytes)
    }
}
