import Testing
import WeirAnalysis
import WeirDissect
import WeirWire

@Suite("Colours of packets' dumps")
struct PacketColorsTests {
    /// Shows packets of IPv4, one after another.
    private struct Shown: ~Copyable {
        private var flows = CaptureFlows()
        private var text: PacketText

        init(color: Bool = true) { text = PacketText(TerminalStyle(color: color), hasHex: true) }

        mutating func add(_ packet: [UInt8], isShown: Bool = true) -> String {
            var output = ByteBuffer()
            let captured = CapturedPacket(
                timestamp: 0,
                range: 0..<packet.count,
                originalLength: packet.count,
                linkType: .ipv4
            )
            flows.add(captured, packet.span.bytes)
            if isShown {
                text.append(captured, packet.span.bytes, in: flows, digits: 6, to: &output)
            } else {
                text.skip(captured, packet.span.bytes, in: flows)
            }
            return output.string
        }
    }

    /// Makes a packet from the client to a server's port, or back.
    private static func packet(
        _ text: String,
        _ transport: Transport = .tcp,
        port: UInt16 = 6379,
        number: UInt32 = 1000,
        isAnswer: Bool = false,
        flags: UInt8 = 0x18
    ) -> [UInt8] {
        let ports = isAnswer ? [port, 50_000] : [50_000, port]
        var header = ports.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
        if transport == .tcp {
            header += stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> UInt32($0)) }
            header += [0, 0, 0, 1, 0x50, flags, 255, 255, 0, 0, 0, 0]
        } else {
            header += [0, UInt8(8 + text.utf8.count), 0, 0]
        }
        let length = UInt8(20 + header.count + text.utf8.count)
        let (source, destination): (UInt8, UInt8) = isAnswer ? (2, 1) : (1, 2)
        let ends: [UInt8] = [10, 0, 0, source, 10, 0, 0, destination]
        return [0x45, 0, 0, length, 0, 0, 0, 0, 64, transport == .tcp ? 6 : 17, 0, 0] + ends + header + Array(text.utf8)
    }

    private static let ping = "*1\r\n$4\r\nPING\r\n"
    /// How `PING` stands behind headers of 40 bytes and 8 more: in columns 0 to 3.
    private static let colored = "\u{1B}[35m50 49 4e 47\u{1B}[0m"

    @Test("A message's fields are coloured where they stand in the packet")
    func message() {
        var shown = Shown()
        let output = shown.add(Self.packet(Self.ping))
        #expect(output.contains("00000030  \(Self.colored) 0d 0a"))
        // The headers before it have no colour.
        #expect(output.contains("\n00000000  45 00 00 36 "))
    }

    @Test("The packet that completes a datagram of several packets has no colour: its message began in another one")
    func fragments() {
        var shown = Shown()
        // A question for the name "a" and type A, whose last four bytes come in the second fragment.
        let message: [UInt8] = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0x61, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]
        let datagram: [UInt8] = [0xc3, 0x50, 0, 53, 0, 32, 0, 0] + message
        func fragment(_ bytes: ArraySlice<UInt8>, at offset: Int, isLast: Bool) -> [UInt8] {
            let head: [UInt8] = [0x45, 0, 0, UInt8(20 + bytes.count), 0x77, 0x77, isLast ? 0 : 0x20, UInt8(offset / 8)]
            return head + [64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2] + bytes
        }
        _ = shown.add(fragment(datagram[..<24], at: 0, isLast: false))
        let output = shown.add(fragment(datagram[24...], at: 24, isLast: true))
        let dump = output.split(separator: "\n").dropFirst()
        #expect(dump.count == 2 && dump.allSatisfy { !$0.contains("\u{1B}") }, "\(output)")
    }

    @Test("Without colour a dump is what it was")
    func plain() {
        var shown = Shown(color: false)
        let output = shown.add(Self.packet(Self.ping))
        #expect(!output.contains("\u{1B}"))
    }

    @Test("A retransmission is no message, and what comes early is one once it is in order")
    func order() {
        var shown = Shown()
        _ = shown.add(Self.packet("", number: 999, flags: 2))
        #expect(!shown.add(Self.packet(Self.ping, number: 1014)).contains(Self.colored))
        #expect(shown.add(Self.packet(Self.ping, number: 1000)).contains(Self.colored))
        #expect(!shown.add(Self.packet(Self.ping, number: 1000)).contains(Self.colored))
        #expect(shown.add(Self.packet(Self.ping, number: 1028)).contains(Self.colored))
    }

    @Test("A message of several packets is coloured in the one that completes it, at the right place")
    func pieces() {
        var shown = Shown()
        _ = shown.add(Self.packet("*1\r\n$4\r\nPI"))
        let output = shown.add(Self.packet("NG\r\n", number: 1010))
        #expect(output.contains("m4e 47\u{1B}[0m"))
    }

    @Test("A packet that is not shown is read all the same")
    func skipped() {
        var shown = Shown()
        #expect(shown.add(Self.packet(Self.ping), isShown: false) == "")
        #expect(shown.add(Self.packet("+PONG\r\n", number: 1, isAnswer: true)).contains("m50 4f 4e 47\u{1B}[0m"))
        #expect(shown.add(Self.packet(Self.ping, number: 1014)).contains(Self.colored))
    }

    @Test("Datagrams have their colours, too")
    func datagram() {
        var shown = Shown()
        // Behind headers of 28 bytes stand the priority, and in the next line the time.
        for (priority, hex) in [("<34>", "3c 33 34 3e"), ("<35>", "3c 33 35 3e")] {
            let output = shown.add(Self.packet("\(priority)Oct 11 22:14:15 host su: no", .udp, port: 514))
            #expect(output.contains(" 00 27 00 00 \u{1B}[35m\(hex)\u{1B}[0m  |"))
            let time = "4f 63 74 20 31 31 20 32  32 3a 31 34 3a 31 35 20"
            #expect(output.contains("\n00000020  \u{1B}[34m\(time)\u{1B}[0m  |"))
            // The dump has no legend.
            #expect(!output.contains("syslog."))
        }
    }
}
