import Support
import Testing

@testable import WeirWire

@Suite("The short way to read packets")
struct PlainPacketTests {
    /// Reads a packet the short way, and as far as that goes header by header.
    private static func read(_ bytes: [UInt8], short: Bool, length: Int? = nil) -> (taken: Bool, packet: String) {
        var packet = DecodedPacket()
        var walk = PacketWalk(.ethernet, end: max(length ?? 0, bytes.count), leavesFragments: true)
        let taken = short && walk.readPlain(bytes.span.bytes, into: &packet)
        if !taken { walk.walk(bytes.span.bytes, into: &packet) }
        return (taken, "\(packet)")
    }

    /// Makes a frame with a datagram to a port, or a segment, and some bytes of padding.
    private static func frame(_ transport: IPProtocol, to port: UInt16, payload: Int = 40, padding: Int = 0) -> [UInt8]
    {
        var buffer = ByteBuffer(capacity: 200)
        let mac = MACAddress(0x0200_0000_0001)
        EthernetHeader(destination: mac, source: mac, type: .ipv4).emit(to: &buffer)
        let size = transport == .udp ? UDPHeader.size : TCPHeader.minimumSize
        let (source, destination) = (IPAddress(v4: 0x0a00_0001), IPAddress(v4: 0x0a00_0002))
        IPv4Header(source: source, destination: destination, protocol: transport, payloadLength: size + payload)
            .emit(to: &buffer)
        if transport == .udp {
            UDPHeader(sourcePort: 5, destinationPort: port, payloadLength: payload).emit(to: &buffer)
        } else {
            TCPHeader(
                sourcePort: 5,
                destinationPort: port,
                sequenceNumber: 7,
                acknowledgmentNumber: 8,
                flags: .ack,
                window: 9
            ).emit(to: &buffer)
        }
        return buffer.withUnsafeBytes { Array($0) } + Array(repeating: 0x5a, count: payload + padding)
    }

    @Test("It takes whole datagrams and segments, with and without padding", arguments: [IPProtocol.udp, .tcp])
    func taken(transport: IPProtocol) {
        for (payload, padding) in [(0, 0), (40, 0), (1, 17), (1400, 4)] {
            let bytes = Self.frame(transport, to: 9000, payload: payload, padding: padding)
            let (taken, packet) = Self.read(bytes, short: true)
            #expect(taken && packet == Self.read(bytes, short: false).packet)
        }
    }

    @Test("It finds what the long way finds for every port of the receiver")
    func ports() {
        var left: [UInt16] = []
        for port in UInt16.min ... .max {
            let bytes = Self.frame(.udp, to: port)
            let (taken, packet) = Self.read(bytes, short: true)
            if !taken { left.append(port) }
            guard packet == Self.read(bytes, short: false).packet else {
                Issue.record("port \(port)")
                return
            }
        }
        #expect(left == [2152, 4754, 4789, 4790, 5247, 6081, 6635])
    }

    @Test("Cut anywhere, or with any byte of its headers changed, a packet is what it is the long way")
    func damage() {
        for transport in [IPProtocol.udp, .tcp] {
            let whole = Self.frame(transport, to: 9000)
            for count in 0...whole.count {
                let bytes = Array(whole[..<count])
                #expect(
                    Self.read(bytes, short: true, length: whole.count).packet
                        == Self.read(bytes, short: false, length: whole.count).packet
                )
            }
            for index in 12..<54 {
                var bytes = whole
                for value in UInt8.min ... .max {
                    bytes[index] = value
                    guard Self.read(bytes, short: true).packet == Self.read(bytes, short: false).packet else {
                        Issue.record("\(transport) byte \(index) is \(value)")
                        return
                    }
                }
            }
        }
    }

    @Test("Of each file of the corpus it gives the packets that the long way gives", .needsCorpus)
    func corpus() throws {
        var (plain, all) = (0, 0)
        for file in try Corpus.files() {
            let bytes = try Corpus.read(file)
            let short = Self.items(bytes, short: true)
            plain += short.plain
            all += short.items.count
            if short.items != Self.items(bytes, short: false).items { Issue.record("\(file)") }
        }
        #expect(plain > all / 4)
    }

    /// Reads a file, and tells what each item and the packet in it are; the last one is the error.
    private static func items(_ bytes: [UInt8], short: Bool) -> (items: [String], plain: Int) {
        var reader = CaptureReader()
        var items: [String] = []
        var plain = 0
        let window = bytes.span.bytes
        func add(_ packet: CapturedPacket) {
            let captured = window.extracting(packet.range)
            var decoded = DecodedPacket()
            var walk = PacketWalk(
                packet.linkType,
                end: max(packet.originalLength, captured.byteCount),
                leavesFragments: true
            )
            if short { walk.run(captured, into: &decoded) } else { walk.walk(captured, into: &decoded) }
            items.append("\(packet) \(decoded)")
        }
        do throws(CaptureFileError) {
            while true {
                while short, let packet = reader.nextPlain(in: window, at: 0) {
                    plain += 1
                    add(packet)
                }
                guard let item = try reader.next(in: window) else { break }
                if case .packet(let packet) = item { add(packet) } else { items.append("block") }
            }
            try reader.finish(at: bytes.count)
        } catch {
            items.append("\(error)")
        }
        return (items, plain)
    }
}
