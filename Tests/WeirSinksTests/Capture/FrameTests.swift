import Support
import Testing
import WeirEngine
import WeirSinks
import WeirWire

/// Whole packets, byte for byte; tshark 4.0.17 finds every checksum of theirs right.
@Suite("Frames")
struct FrameTests {
    private static let pathV6 = FlowPath(
        client: Endpoint(address: IPAddress(v6: 0x2001_0db8_0000_0000, low: 1), port: 51_514),
        listener: Endpoint(address: IPAddress(v6: 0x2001_0db8_0000_0000, low: 2), port: 9000)
    )

    /// Gives the packets of a short talk: a handshake and a chunk over TCP, a datagram over UDP.
    private func frames(_ transport: Transport, _ path: FlowPath) throws -> [String] {
        var dialogue = CaptureDialogue(transport, path: path) { $0.legs = .client }
        dialogue.open()
        dialogue.chunk(.upstream, "Hello")
        return try dialogue.capture.packets.map { packet in
            packet.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
    }

    /// Gives the digits of frames that an empty line stands between.
    private func digits(_ text: String) -> [String] {
        text.split(separator: "\n\n").map { frame in frame.filter { $0.isHexDigit } }
    }

    @Test("Writes a datagram over IPv4")
    func datagramV4() throws {
        let expected = """
            0000000000000000000000000800 450000210000400040113cca7f0000017f000001 c93a2328000df19c 48656c6c6f
            """
        #expect(try frames(.udp, Playbook.path) == digits(expected))
    }

    @Test("Writes a datagram over IPv6")
    func datagramV6() throws {
        let expected = """
            0261eb4018020261eb40180186dd
            60000000000d114020010db800000000000000000000000120010db8000000000000000000000002 c93a2328000d942a
            48656c6c6f

            0261eb4018010261eb40180286dd
            60000000000d114020010db800000000000000000000000220010db8000000000000000000000001 2328c93a000d942a
            48656c6c6f
            """
        #expect(try frames(.udp, Self.pathV6) == digits(expected))
    }

    @Test("Writes a handshake, a chunk and its acknowledgement over IPv4")
    func streamV4() throws {
        let expected = """
            0000000000000000000000000800 450000300000400040063cc67f0000017f000001
            c93a232889025cc1000000007002ffffb9cb00000204ffd701030307

            0000000000000000000000000800 450000300000400040063cc67f0000017f000001
            2328c93a658eec6789025cc27012ffff67c400000204ffd701030307

            0000000000000000000000000800 450000280000400040063cce7f0000017f000001
            c93a232889025cc2658eec685010ffff8db30000

            0000000000000000000000000800 4500002d0000400040063cc97f0000017f000001
            c93a232889025cc2658eec685018ffff69d40000 48656c6c6f

            0000000000000000000000000800 450000280000400040063cce7f0000017f000001
            2328c93a658eec6889025cc75010ffff8dae0000
            """
        #expect(try frames(.tcp, Playbook.path) == digits(expected))
    }

    @Test("Writes a handshake, a chunk and its acknowledgement over IPv6")
    func streamV6() throws {
        let expected = """
            0261eb4018020261eb40180186dd
            60000000001c064020010db800000000000000000000000120010db8000000000000000000000002
            c93a232889025cc1000000007002ffff5c6d00000204ffc301030307

            0261eb4018010261eb40180286dd
            60000000001c064020010db800000000000000000000000220010db8000000000000000000000001
            2328c93a658eec6789025cc27012ffff0a6600000204ffc301030307

            0261eb4018020261eb40180186dd
            600000000014064020010db800000000000000000000000120010db8000000000000000000000002
            c93a232889025cc2658eec685010ffff30410000

            0261eb4018020261eb40180186dd
            600000000019064020010db800000000000000000000000120010db8000000000000000000000002
            c93a232889025cc2658eec685018ffff0c620000 48656c6c6f

            0261eb4018010261eb40180286dd
            600000000014064020010db800000000000000000000000220010db8000000000000000000000001
            2328c93a658eec6889025cc75010ffff303c0000

            0261eb4018010261eb40180286dd
            600000000019064020010db800000000000000000000000220010db8000000000000000000000001
            2328c93a658eec6889025cc75018ffff0c5d0000 48656c6c6f

            0261eb4018020261eb40180186dd
            600000000014064020010db800000000000000000000000120010db8000000000000000000000002
            c93a232889025cc7658eec6d5010ffff30370000
            """
        #expect(try frames(.tcp, Self.pathV6) == digits(expected))
    }
}
