import Testing
import WeirAnalysis
import WeirDissect
import WeirWire

@Suite("Packets in one line")
struct PacketTextTests {
    private typealias Made = ViewCapture

    /// Shows packets, one line each; those at `skipped` are read alone.
    private static func lines(
        _ packets: [(packet: [UInt8], time: Int64?)],
        digits: Int = 6,
        color: Bool = false,
        width: Int? = nil,
        isUnicode: Bool = true,
        skipping skipped: Set<Int> = []
    ) -> [String] {
        var capture = ViewCapture()
        var text = PacketText(TerminalStyle(width: width, isUnicode: isUnicode, color: color), hasHex: false)
        var output = ByteBuffer()
        for (index, (packet, time)) in packets.enumerated() {
            let captured = capture.add(packet, at: time)
            if skipped.contains(index) {
                text.skip(captured, packet.span.bytes, in: capture.flows)
            } else {
                text.append(captured, packet.span.bytes, in: capture.flows, digits: digits, to: &output)
            }
        }
        return output.string.split(separator: "\n").map(String.init)
    }

    private static let syn = ViewCapture.tcp((1, 5000), (2, 80), 2, options: [3, 3, 7, 1])
    private static let datagram = ViewCapture.udp((1, 5000), (2, 9), "hello")

    @Test(
        "The time is that since the first packet, in so many digits, in ten columns",
        arguments: [
            (0, 12_345_678_901, "        12"), (3, 12_345_678_901, "    12.345"), (6, 12_345_678_901, " 12.345678"),
            (9, 12_345_678_901, "12.345678901"), (6, 0, "  0.000000"), (6, 999_999, "  0.000999"),
            (6, 1_000_000_000, "  1.000000"), (6, 123_000_000_000, "123.000000"), (6, 9_999_000_000_000, "9999.000000"),
            (6, -1, " -0.000000"), (6, -1500, " -0.000001"), (9, -1, "-0.000000001"), (3, -2_500_000_000, "    -2.500"),
            (0, 999_999_999, "         0"), (0, -1_999_999_999, "        -1"),
        ] as [(Int, Int64, String)]
    )
    func times(digits: Int, time: Int64, text: String) {
        let lines = Self.lines([(Self.datagram, 77), (Self.datagram, 77 + time)], digits: digits)
        #expect(lines[1] == "    2 \(text)     10.0.0.1 → 10.0.0.2     UDP 33 5000 → 9 Len=5")
    }

    @Test("A packet without a time has none, and the first one that has it is the first")
    func timeless() {
        let lines = Self.lines([(Self.datagram, nil), (Self.datagram, 5_000_000), (Self.datagram, 6_000_000)])
        #expect(lines.map { $0.prefix(16) } == ["    1           ", "    2   0.000000", "    3   0.001000"])
        let skipped = Self.lines([(Self.datagram, 5_000_000), (Self.datagram, 6_000_000)], skipping: [0])
        #expect(skipped.map { $0.prefix(16) } == ["    2   0.001000"])
        let far = Self.lines([(Self.datagram, .min), (Self.datagram, .max)], digits: 9)
        #expect(far[1].hasPrefix("    2 9223372036.854775807 "))
        let back = Self.lines([(Self.datagram, .max), (Self.datagram, .min)], digits: 9)
        #expect(back[1].hasPrefix("    2 -9223372036.854775808 "))
    }

    @Test(
        "Windows are scaled as both sides have said, in each flow, also where that was not shown",
        arguments: [[], [0, 1]] as [Set<Int>]
    )
    func windows(skipped: Set<Int>) {
        let (client, server): ((UInt8, UInt16), (UInt8, UInt16)) = ((1, 5000), (2, 80))
        let lines = Self.lines(
            [
                (Made.tcp(client, server, 2, options: [3, 3, 7, 1]), 0),
                (Made.tcp(server, client, 0x12, options: [3, 3, 2, 1]), 0), (Made.tcp(client, server, 0x10), 0),
                (Made.tcp(server, client, 0x10), 0), (Made.tcp((3, 5000), (4, 80), 2, options: [3, 3, 7, 1]), 0),
                (Made.tcp((4, 80), (3, 5000), 0x12), 0), (Made.tcp((3, 5000), (4, 80), 0x10), 0),
                (Made.tcp(client, server, 0x10, number: 2), 0),
            ],
            skipping: skipped
        )
        let windows = lines.map { line in
            line.split(separator: " ").first { $0.hasPrefix("Win=") }.map { $0.dropFirst(4) }
        }
        #expect(windows.suffix(6) == ["32768", "1024", "256", "256", "256", "32768"])
        #expect(windows.count == 8 - skipped.count)
    }

    @Test("On a terminal a line that does not fit is cut, and never wrapped", arguments: [40, 60, 80, 100, 120])
    func fits(width: Int) {
        let whole = Self.lines([(Self.syn, 0), (Self.datagram, 0)])
        for color in [false, true] {
            let lines = Self.lines([(Self.syn, 0), (Self.datagram, 0)], color: color, width: width)
            for line in lines { #expect(DisplayWidth.columns(of: Array(line.utf8).span.bytes) <= width, "\(line)") }
            #expect(lines[0].contains("…") == (whole[0].count > width))
        }
    }

    @Test("Without Unicode the arrows are made of ASCII, and nothing else changes")
    func ascii() {
        let lines = Self.lines([(Self.syn, 0), (Self.datagram, 0)])
        let plain = Self.lines([(Self.syn, 0), (Self.datagram, 0)], isUnicode: false)
        #expect(plain == lines.map { $0.replacing("→", with: "->") })
        #expect(plain[1] == "    2   0.000000     10.0.0.1 -> 10.0.0.2     UDP 33 5000 -> 9 Len=5")
    }

    @Test("Each kind of packet has its colour")
    func colors() {
        let (client, server): ((UInt8, UInt16), (UInt8, UInt16)) = ((1, 5000), (2, 80))
        let lines = Self.lines(
            [
                (Made.tcp(client, server, 2), 0), (Made.tcp(server, client, 0x12), 0),
                (Made.tcp(client, server, 0x10), 0),
                (Made.tcp(client, server, 0x11), 0), (Made.tcp(client, server, 4), 0), (Self.datagram, 0),
                (Made.ip(1, 1, 2, [8, 0, 0, 0, 0, 1, 0, 1]), 0), (Made.ip(99, 1, 2, [1]), 0),
            ],
            color: true
        )
        let colors = lines.map { line in line.hasPrefix("\u{1B}") ? String(line.prefix { $0 != "m" }.dropFirst(2)) : ""
        }
        #expect(colors == ["1", "1", "", "1", "31", "36", "2", "31"])
        #expect(lines.allSatisfy { $0.hasSuffix("\u{1B}[0m") })
    }

    @Test("What is no segment, datagram or ICMP has a line, too")
    func others() {
        let lines = Self.lines([
            (Made.ip(17, 1, 2, fragment: 0x2000, [0x13, 0x88, 0, 9, 0, 16, 0, 0]), 0),
            (Made.ip(99, 1, 2, fragment: 0x2003, [1, 2, 3, 4, 5, 6, 7, 8]), 0), (Made.ip(99, 1, 2, [1, 2, 3]), 0),
            (Made.ip(1, 1, 2, [8, 0, 0, 0, 0, 1, 0, 2]), 0), (Made.udp((1, 5000), (2, 9), ""), 0),
        ])
        #expect(
            lines == [
                "    1   0.000000     10.0.0.1 → 10.0.0.2     IPv4 28 Fragmented IP protocol (proto=UDP 17, off=0, ID=abcd)",
                "    2   0.000000     10.0.0.1 → 10.0.0.2     IPv4 28 Fragmented IP protocol (proto=99, off=24, ID=abcd)",
                "    3   0.000000     10.0.0.1 → 10.0.0.2     IPv4 23 unsupported at 20: IP protocol 99",
                "    4   0.000000     10.0.0.1 → 10.0.0.2     ICMP 28 Echo (ping) request  id=0x0001, seq=2/512, ttl=64",
                "    5   0.000000     10.0.0.1 → 10.0.0.2     UDP 28 5000 → 9 Len=0",
            ]
        )
    }

    @Test("As JSON a packet has its bytes where they are wanted")
    func json() {
        var capture = ViewCapture()
        var output = ByteBuffer()
        let packet = Made.udp((1, 5000), (2, 9), "")
        for (hasBytes, time) in [(false, nil), (true, 1_000_000_001)] as [(Bool, Int64?)] {
            var json = PacketJSON(hasBytes: hasBytes)
            let captured = capture.add(packet, at: time)
            json.append(captured, packet.span.bytes, in: capture.flows, to: &output)
        }
        let rest =
            #""interface":0,"length":28,"captured":28,"source":"10.0.0.1","destination":"10.0.0.2","protocol":"UDP","#
            + #""flow":1,"info":"5000 → 9 Len=0""#
        #expect(
            output.string
                == #"{"packet":1,"time":null,"# + rest + "}\n"
                + #"{"packet":2,"time":"1970-01-01T00:00:01.000000001Z","#
                + rest + #","bytes":"RQAAHKvNAABAEQAACgAAAQoAAAITiAAJAAgAAA=="}"# + "\n"
        )
    }
}
