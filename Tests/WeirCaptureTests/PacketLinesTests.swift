import Testing
import WeirWire

@testable import WeirCapture

@Suite("Packet lines")
struct PacketLinesTests {
    private func line(_ bytes: [UInt8], _ linkType: LinkType = .ethernet, length: Int? = nil, dumps: Bool = false)
        -> String
    {
        var output = ByteBuffer()
        var lines = PacketLines(linkType: linkType, dumps: dumps)
        let packet = LivePacket(timestamp: 3_723_000_004_000, originalLength: UInt32(length ?? bytes.count))
        lines.append(packet, bytes.span.bytes, to: &output)
        return output.string
    }

    @Test("A packet of TCP or UDP has its endpoints, its flags and its length")
    func transports() {
        #expect(
            line(frame(TwoLegs().toListener, [.syn, .ece], payload: 1))
                == "01:02:03.000004 tcp 127.0.0.1:50000 -> 127.0.0.1:9000 [SYN,ECE] 1 B\n"
        )
        #expect(
            line(frame(TwoLegs(transport: .udp).toServer, payload: 12))
                == "01:02:03.000004 udp 127.0.0.1:60000 -> 127.0.0.1:80 12 B\n"
        )
    }

    @Test("A packet that was cut says how much of it is there")
    func cut() {
        let bytes = Array(frame(TwoLegs(transport: .udp).toServer, payload: 1200).prefix(64))
        #expect(
            line(bytes, length: 1242)
                == "01:02:03.000004 udp 127.0.0.1:60000 -> 127.0.0.1:80 1200 B, cut to 64 of 1242 B\n"
        )
    }

    @Test("Other packets say what they are, as far as their bytes do")
    func others() {
        let fragment: [UInt8] = [0x45, 0, 0, 24, 0, 1, 0, 1, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0, 0, 0, 0]
        #expect(line(fragment, .raw) == "01:02:03.000004 udp 10.0.0.1 -> 10.0.0.2 fragment 4 B\n")
        var unknown = fragment
        unknown[9] = 89
        unknown[7] = 0
        #expect(line(unknown, .raw) == "01:02:03.000004 ip protocol 89 10.0.0.1 -> 10.0.0.2 4 B\n")
        let ethernet = [UInt8](repeating: 0, count: 12)
        #expect(line(ethernet + [0x08, 0x06, 0, 1]) == "01:02:03.000004 arp 2 B\n")
        #expect(line(ethernet + [0x88, 0xcc]) == "01:02:03.000004 ethertype 0x88cc 0 B\n")
        #expect(line([1, 2, 3]) == "01:02:03.000004 packet 3 B\n")
    }

    @Test("A dump follows the line where it is wanted")
    func dump() {
        #expect(
            line([1, 2, 3], dumps: true)
                == "01:02:03.000004 packet 3 B\n"
                + "00000000  01 02 03                                          |...|\n"
        )
    }
}
