import Support

/// A capture of pcap, made packet by packet: of Ethernet frames with IPv4 and UDP or TCP, between 10.0.0.1 and 10.0.0.2.
struct MadeCapture {
    /// Whether times are in nanoseconds.
    var isNanoseconds = false
    private var packets: [UInt8] = []

    init(isNanoseconds: Bool = false) {
        self.isNanoseconds = isNanoseconds
    }

    /// The file.
    var bytes: [UInt8] {
        Self.word(isNanoseconds ? 0xa1b2_3c4d : 0xa1b2_c3d4) + [2, 0, 4, 0] + Self.word(0) + Self.word(0)
            + Self.word(65_535)
            + Self.word(1) + packets
    }

    /// Adds a datagram, and cuts bytes off its end.
    mutating func udp(_ ports: (Int, Int), isDown: Bool = false, _ text: String, at time: Int = 0, cutting cut: Int = 0)
    {
        let payload = Array(text.utf8)
        let (source, target) = isDown ? (ports.1, ports.0) : ports
        add(
            17,
            isDown,
            Self.pair(source) + Self.pair(target) + Self.pair(payload.count + 8) + [0, 0] + payload,
            time,
            cut
        )
    }

    /// Adds a segment with its flags: 2 is SYN, 1 FIN, 16 ACK.
    mutating func tcp(
        _ ports: (Int, Int),
        from client: [UInt8] = [10, 0, 0, 1],
        isDown: Bool = false,
        flags: UInt8,
        sequence: Int,
        _ text: String = "",
        at time: Int = 0
    ) {
        tcp(ports, from: client, isDown: isDown, flags: flags, sequence: sequence, bytes: Array(text.utf8), at: time)
    }

    /// Adds a segment with any bytes.
    mutating func tcp(
        _ ports: (Int, Int),
        from client: [UInt8] = [10, 0, 0, 1],
        isDown: Bool = false,
        flags: UInt8,
        sequence: Int,
        acknowledging number: Int = 0,
        bytes: [UInt8],
        at time: Int = 0
    ) {
        let (source, target) = isDown ? (ports.1, ports.0) : ports
        let head =
            Self.pair(source) + Self.pair(target) + Self.word(sequence).reversed() + Self.word(number).reversed()
            + [0x50, flags, 4, 0]
        add(6, isDown, head + [0, 0, 0, 0] + bytes, time, 0, client)
    }

    /// Adds a request of HTTP and its answer on a connection of their own, each message in segments that end at a place.
    mutating func http(_ client: Int, _ request: [UInt8], _ answer: [UInt8], cutAt cut: Int = 0, at time: Int = 0) {
        let ports = (client, 80)
        tcp(ports, flags: 2, sequence: 0, at: time)
        tcp(ports, isDown: true, flags: 18, sequence: 0, acknowledging: 1, bytes: [], at: time + 1)
        for (isDown, bytes) in [(false, request), (true, answer)] {
            let cut = min(cut, bytes.count)
            for part in [0..<cut, cut..<bytes.count] where !part.isEmpty {
                tcp(
                    ports,
                    isDown: isDown,
                    flags: 16,
                    sequence: 1 + part.lowerBound,
                    acknowledging: isDown ? 1 + request.count : 1,
                    bytes: Array(bytes[part]),
                    at: time + 2
                )
            }
        }
        let ends = (1 + request.count, 1 + answer.count)
        tcp(ports, flags: 17, sequence: ends.0, acknowledging: ends.1, bytes: [], at: time + 3)
        tcp(ports, isDown: true, flags: 17, sequence: ends.1, acknowledging: ends.0 + 1, bytes: [], at: time + 4)
    }

    private mutating func add(
        _ kind: UInt8,
        _ isDown: Bool,
        _ payload: [UInt8],
        _ time: Int,
        _ cut: Int,
        _ client: [UInt8] = [10, 0, 0, 1]
    ) {
        let ends: [UInt8] = isDown ? [10, 0, 0, 2] + client : client + [10, 0, 0, 2]
        let head: [UInt8] = [0x45, 0] + Self.pair(payload.count + 20) + [0, 1, 0, 0, 64, kind, 0, 0]
        let frame: [UInt8] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0] + head + ends + payload
        packets += Self.word(1_700_000_000) + Self.word(time) + Self.word(frame.count - cut) + Self.word(frame.count)
        packets += frame.dropLast(cut)
    }

    private static func pair(_ number: Int) -> [UInt8] { [UInt8(number >> 8 & 255), UInt8(number & 255)] }

    private static func word(_ number: Int) -> [UInt8] {
        (pair(number >> 16) + pair(number & 0xffff)).reversed()
    }
}

/// Runs `weir show` with times of UTC and without colours.
func shown(_ arguments: [String], sending bytes: [UInt8] = []) async throws -> (
    status: Int32, output: String, errors: String
) {
    let program = try WeirProgram(["show", "--color", "never"] + arguments, launcher: ["env", "TZ=UTC"])
    let ended = try await program.finish(sending: bytes)
    return (ended.status, String(decoding: ended.output, as: UTF8.self), ended.errors)
}
