import WeirAnalysis
import WeirDissect
import WeirWire

/// Traffic between 10.0.0.1 and 10.0.0.2, packet by packet, each a millisecond after the one before.
struct MadeTraffic {
    /// The packets, which begin with an IPv4 header.
    private(set) var packets: [(bytes: [UInt8], time: Int64)] = []
    private var numbers: [Key: UInt32] = [:]

    private struct Key: Hashable {
        var ports: Ports
        var direction: Direction
    }

    /// The ports of a flow.
    struct Ports: Hashable {
        var client: UInt16
        var server: UInt16
        /// Whether 10.0.0.2 is the client.
        var isReversed = false
    }

    static let http = Ports(client: 50_000, server: 80)
    static let postgresql = Ports(client: 5000, server: 5432)

    /// Two questions of DNS, a millisecond apart, whose answers come in the other order.
    static var questions: MadeTraffic {
        let ports = Ports(client: 5000, server: 53)
        func message(_ id: UInt8, _ type: UInt8, isAnswer: Bool) -> [UInt8] {
            [0, id, isAnswer ? 0x80 : 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 97, 0, 0, type, 0, 1]
        }
        var traffic = MadeTraffic()
        traffic.datagram(ports, .upstream, message(1, 1, isAnswer: false))
        traffic.datagram(ports, .upstream, message(2, 28, isAnswer: false))
        traffic.datagram(ports, .downstream, message(2, 28, isAnswer: true))
        traffic.datagram(ports, .downstream, message(1, 1, isAnswer: true))
        return traffic
    }

    /// Returns a message of PostgreSQL, by its letter.
    static func statement(_ letter: Character, _ bytes: [UInt8]) -> [UInt8] {
        [letter.asciiValue ?? 0, 0, 0, 0, UInt8(4 + bytes.count)] + bytes
    }

    /// The time of the next packet, in nanoseconds.
    var time: Int64 { Int64(packets.count) * 1_000_000 }

    /// Adds the handshake of a flow.
    mutating func open(_ ports: Ports = http) {
        segment(ports, .upstream, [.syn], [])
        segment(ports, .downstream, [.syn, .ack], [])
        segment(ports, .upstream, [.ack], [])
    }

    /// Adds bytes in segments that end at these places, and at the end of the bytes.
    mutating func send(_ direction: Direction, _ bytes: [UInt8], cutAt cuts: [Int] = [], _ ports: Ports = http) {
        var start = 0
        for end in cuts + [bytes.count] where end > start {
            segment(ports, direction, [.psh, .ack], Array(bytes[start..<end]))
            start = end
        }
    }

    /// Adds text in one segment.
    mutating func send(_ direction: Direction, _ text: String, _ ports: Ports = http) {
        send(direction, Array(text.utf8), ports)
    }

    /// Moves past bytes of which no packet was captured.
    mutating func lose(_ direction: Direction, _ count: Int, _ ports: Ports = http) {
        numbers[Key(ports: ports, direction: direction), default: 1] += UInt32(count)
    }

    /// Sends the last bytes of a direction again, with other values.
    mutating func repeatLast(_ direction: Direction, _ count: Int, _ ports: Ports = http) {
        let key = Key(ports: ports, direction: direction)
        // Behind the FIN.
        numbers[key, default: 1] -= UInt32(count) + 1
        segment(ports, direction, [.ack], [UInt8](repeating: 0, count: count))
        numbers[key, default: 1] += 1
    }

    /// Adds the ends of both sides.
    mutating func finish(_ ports: Ports = http) {
        segment(ports, .upstream, [.fin, .ack], [])
        segment(ports, .downstream, [.fin, .ack], [])
        segment(ports, .upstream, [.ack], [])
    }

    /// Adds a datagram.
    mutating func datagram(_ ports: Ports, _ direction: Direction, _ bytes: [UInt8]) {
        let (source, target) = direction == .upstream ? (ports.client, ports.server) : (ports.server, ports.client)
        let header = Self.pair(source) + Self.pair(target) + Self.pair(UInt16(8 + bytes.count)) + [0, 0]
        add(17, isFromFirst: (direction == .upstream) != ports.isReversed, header + bytes)
    }

    private mutating func segment(_ ports: Ports, _ direction: Direction, _ flags: TCPFlags, _ bytes: [UInt8]) {
        let (own, other) = (Key(ports: ports, direction: direction), Key(ports: ports, direction: direction.opposite))
        let (source, target) = direction == .upstream ? (ports.client, ports.server) : (ports.server, ports.client)
        var header = Self.pair(source) + Self.pair(target)
        header += Self.word(numbers[own] ?? 1) + Self.word(flags.contains(.ack) ? numbers[other] ?? 1 : 0)
        header += [0x50, UInt8(truncatingIfNeeded: flags.rawValue), 4, 0, 0, 0, 0, 0]
        add(6, isFromFirst: (direction == .upstream) != ports.isReversed, header + bytes)
        let length = bytes.count + (flags.isDisjoint(with: [.syn, .fin]) ? 0 : 1)
        numbers[own] = (numbers[own] ?? 1) + UInt32(length)
    }

    private mutating func add(_ transport: UInt8, isFromFirst: Bool, _ content: [UInt8]) {
        let (source, target): (UInt8, UInt8) = isFromFirst ? (1, 2) : (2, 1)
        packets.append((ViewCapture.ip(transport, source, target, content), time))
    }

    private static func pair(_ number: UInt16) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 255)] }

    private static func word(_ number: UInt32) -> [UInt8] {
        pair(UInt16(number >> 16)) + pair(UInt16(number & 0xffff))
    }

    /// Reads the packets in order.
    func read(_ body: (CapturedPacket, RawSpan, borrowing CaptureFlows) -> Void) {
        var flows = CaptureFlows()
        for packet in packets {
            let captured = CapturedPacket(
                timestamp: packet.time,
                range: 0..<packet.bytes.count,
                originalLength: packet.bytes.count,
                linkType: .ipv4
            )
            flows.add(captured, packet.bytes.span.bytes)
            body(captured, packet.bytes.span.bytes, flows)
        }
    }
}

extension MadeTraffic {
    /// The exchanges of HTTP in the traffic.
    func exchanges(_ limits: HeldBytes.Limits = HeldBytes.Limits()) -> [HTTPExchange] {
        var exchanges = HTTPExchanges(limits)
        var found: [HTTPExchange] = []
        read { packet, bytes, flows in exchanges.add(packet, bytes, in: flows) { found.append($0) } }
        exchanges.finish { found.append($0) }
        return found
    }
}
