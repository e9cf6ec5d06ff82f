import ArgumentParser
import Glibc
import WeirWire

/// Writes a capture of flows; weir-bench starts it as a child of its own.
struct WriteFlowsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "write-flows",
        abstract: "Write a capture of whole flows.",
        shouldDisplay: false
    )

    @Argument var file: String
    @Flag(help: "Connections, and not datagrams.") var tcp = false
    @Flag(help: "Requests and answers of HTTP in the connections.") var http = false
    @Option(help: "Packets to write, or a few more.") var packets = 1_000_000
    @Option(help: "Bytes of payload in each packet that has any.") var payload = 186
    @Option(help: "Flows that are under way at once.") var flows = 100
    @Option(help: "A text in the last packet that a client sends.") var needle = ""

    private static let pieceSize = 256 << 10
    private static let interval: Int64 = 1000

    func run() throws {
        let number = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw BenchError.lastCall("open", on: file) }
        let output = Descriptor(number)
        var capture = Capture(tcp ? .tcp : .udp, payload: payload, http: http)
        if tcp {
            for flow in 0..<flows { capture.open(flow) }
        }
        var flow = 0
        while capture.packets < packets {
            capture.exchange(flow)
            flow = (flow + 1) % flows
            if capture.buffer.count >= Self.pieceSize { try Self.write(&capture.buffer, to: output) }
        }
        if !needle.isEmpty { capture.exchange(flow, carrying: Array(needle.utf8)) }
        if tcp {
            for flow in 0..<flows { capture.close(flow) }
        }
        try Self.write(&capture.buffer, to: output)
    }

    private static func write(_ buffer: inout ByteBuffer, to output: borrowing Descriptor) throws {
        while !buffer.isEmpty {
            let written = buffer.withUnsafeBytes { Glibc.write(output.number, $0.baseAddress, $0.count) }
            guard written > 0 else { throw BenchError.lastCall("write") }
            buffer.removeFirst(written)
        }
    }

    /// A capture that is being written.
    private struct Capture: ~Copyable {
        var buffer = ByteBuffer(capacity: WriteFlowsCommand.pieceSize + (64 << 10))
        private(set) var packets = 0
        private var writer = PcapngWriter()
        private let transport: Transport
        private let port: UInt16
        /// Holds what the client and what the server sends with each packet.
        private let payload: (up: [UInt8], down: [UInt8])
        /// Counts what both sides of each flow have sent.
        private var sent: [Int: (up: UInt32, down: UInt32)] = [:]
        private var frame = ByteBuffer()

        init(_ transport: Transport, payload: Int, http: Bool) {
            self.transport = transport
            port = http ? 80 : 9000
            let bytes = (0..<payload).map { UInt8(truncatingIfNeeded: $0) }
            self.payload = http ? Self.http(body: bytes) : (bytes, bytes)
            writer.append(CaptureSection(application: "weir-bench"), to: &buffer)
            writer.append(CaptureInterface(linkType: .ethernet, snapLength: 262_144, name: "bench"), to: &buffer)
        }

        private static func http(body: [UInt8]) -> (up: [UInt8], down: [UInt8]) {
            let request = """
                GET /articles/2026/11?page=7 HTTP/1.1\r
                Host: weir.test\r
                User-Agent: weir-bench\r
                Accept: */*\r
                \r

                """
            let answer = """
                HTTP/1.1 200 OK\r
                Content-Type: application/octet-stream\r
                Content-Length: \(body.count)\r
                Server: weir-bench\r
                \r

                """
            return (Array(request.utf8), Array(answer.utf8) + body)
        }

        /// Appends the handshake of a connection.
        mutating func open(_ flow: Int) {
            append(flow, .upstream, .syn)
            sent[flow] = (1, 0)
            append(flow, .downstream, [.syn, .ack])
            sent[flow] = (1, 1)
            append(flow, .upstream, .ack)
        }

        /// Appends a request, which may carry a text in its middle, with an answer.
        mutating func exchange(_ flow: Int, carrying needle: [UInt8] = []) {
            var request = payload.up
            if !needle.isEmpty {
                let start = min(request.count / 2, max(0, request.count - needle.count))
                request.replaceSubrange(start..<min(start + needle.count, request.count), with: needle)
            }
            append(flow, .upstream, [.ack, .psh], request)
            sent[flow, default: (0, 0)].up &+= UInt32(request.count)
            append(flow, .downstream, [.ack, .psh], payload.down)
            sent[flow, default: (0, 0)].down &+= UInt32(payload.down.count)
        }

        /// Appends the end of a connection.
        mutating func close(_ flow: Int) {
            append(flow, .upstream, [.fin, .ack])
            sent[flow, default: (0, 0)].up &+= 1
            append(flow, .downstream, [.fin, .ack])
            sent[flow, default: (0, 0)].down &+= 1
            append(flow, .upstream, .ack)
        }

        private mutating func append(
            _ flow: Int,
            _ direction: Direction,
            _ flags: TCPFlags,
            _ body: [UInt8] = []
        ) {
            let client = Endpoint(address: IPAddress(v4: 0x0a00_0001), port: UInt16(32768 + flow))
            let server = Endpoint(address: IPAddress(v4: 0x0a00_0002), port: port)
            let (source, destination) = direction == .upstream ? (client, server) : (server, client)
            let numbers = sent[flow, default: (0, 0)]
            frame.removeAll()
            EthernetHeader(destination: MACAddress(2), source: MACAddress(1), type: .ipv4).emit(to: &frame)
            IPv4Header(
                source: source.address,
                destination: destination.address,
                protocol: IPProtocol(transport),
                payloadLength: (transport == .tcp ? TCPHeader.minimumSize : UDPHeader.size) + body.count
            ).emit(to: &frame)
            switch transport {
            case .tcp:
                TCPHeader(
                    sourcePort: source.port,
                    destinationPort: destination.port,
                    sequenceNumber: direction == .upstream ? numbers.up : numbers.down,
                    acknowledgmentNumber: direction == .upstream ? numbers.down : numbers.up,
                    flags: flags,
                    window: 65535
                ).emit(to: &frame)
            case .udp:
                UDPHeader(sourcePort: source.port, destinationPort: destination.port, payloadLength: body.count)
                    .emit(to: &frame)
            }
            let time = 1_700_000_000_000_000_000 + Int64(packets) * WriteFlowsCommand.interval
            let metadata = PacketMetadata(timestamp: time)
            frame.withUnsafeBytes { writer.append(metadata, $0.bytes, body.span.bytes, to: &buffer) }
            packets += 1
        }
    }
}
