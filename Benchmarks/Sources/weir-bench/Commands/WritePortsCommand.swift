import ArgumentParser
import Glibc
import WeirWire

/// Writes flows as an allocator chooses their ports; weir-bench starts it as a child of its own.
struct WritePortsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "write-ports",
        abstract: "Write a capture of SYNs, or JSON lines of a relay.",
        shouldDisplay: false
    )

    @Argument var file: String
    @Flag(help: "JSON lines, and not a capture.") var log = false
    @Option(help: "Flows to write.") var flows = 1_000_000
    @Option(help: "Clients that they come from.") var clients = 1000

    private static let pieceSize = 256 << 10

    func run() throws {
        let number = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw BenchError.lastCall("open", on: file) }
        let output = Descriptor(number)
        var buffer = ByteBuffer(capacity: Self.pieceSize + (64 << 10))
        var writer = PcapngWriter()
        if !log {
            writer.append(CaptureSection(application: "weir-bench"), to: &buffer)
            writer.append(CaptureInterface(linkType: .ethernet, snapLength: 262_144, name: "bench"), to: &buffer)
        }
        // As Linux's connect does: even ports, a counter a client and server, steps of 2 to 16.
        var ports = (0..<(clients * 2)).map { _ in UInt32.random(in: 0..<14_116) }
        for flow in 0..<flows {
            let client = flow % clients
            let server = Int.random(in: 0..<2)
            let slot = client * 2 + server
            ports[slot] = (ports[slot] + UInt32.random(in: 1...8)) % 14_116
            let choice = Choice(flow: flow, client: client, server: server, port: UInt16(32_768 + 2 * ports[slot]))
            if log { choice.appendLine(to: &buffer) } else { choice.appendPacket(&writer, to: &buffer) }
            if buffer.count >= Self.pieceSize { try Self.write(&buffer, to: output) }
        }
        try Self.write(&buffer, to: output)
    }

    private static func write(_ buffer: inout ByteBuffer, to output: borrowing Descriptor) throws {
        while !buffer.isEmpty {
            let written = buffer.withUnsafeBytes { Glibc.write(output.number, $0.baseAddress, $0.count) }
            guard written > 0 else { throw BenchError.lastCall("write") }
            buffer.removeFirst(written)
        }
    }

    /// One flow of a client to one of two servers.
    private struct Choice {
        var flow: Int
        var client: Int
        var server: Int
        var port: UInt16

        private var source: Endpoint { Endpoint(address: IPAddress(v4: 0x0a01_0000 + UInt32(client)), port: port) }
        private var destination: Endpoint {
            Endpoint(address: IPAddress(v4: 0x0a02_0001), port: UInt16(9000 + server))
        }
        private var microseconds: Int { flow * 5 }

        func appendPacket(_ writer: inout PcapngWriter, to buffer: inout ByteBuffer) {
            var frame = ByteBuffer()
            EthernetHeader(destination: MACAddress(2), source: MACAddress(1), type: .ipv4).emit(to: &frame)
            IPv4Header(
                source: source.address,
                destination: destination.address,
                protocol: .tcp,
                payloadLength: TCPHeader.minimumSize
            ).emit(to: &frame)
            TCPHeader(
                sourcePort: port,
                destinationPort: destination.port,
                sequenceNumber: UInt32(truncatingIfNeeded: flow &* 2_654_435_761),
                acknowledgmentNumber: 0,
                flags: .syn,
                window: 65535
            ).emit(to: &frame)
            let metadata = PacketMetadata(timestamp: 1_700_000_000_000_000_000 + Int64(microseconds) * 1000)
            let body: [UInt8] = []
            frame.withUnsafeBytes { writer.append(metadata, $0.bytes, body.span.bytes, to: &buffer) }
        }

        func appendLine(to buffer: inout ByteBuffer) {
            buffer.append("{\"time\":\"2026-11-22T12:00:")
            buffer.appendDecimal(microseconds / 1_000_000, width: 2)
            buffer.append(".")
            buffer.appendDecimal(microseconds % 1_000_000, width: 6)
            buffer.append("000Z\",\"flow\":\(flow + 1),\"event\":\"open\",\"transport\":\"tcp\",\"client\":\"")
            source.write(to: &buffer)
            buffer.append("\",\"listener\":\"")
            destination.write(to: &buffer)
            buffer.append("\",\"egress\":\"10.2.0.1:\(port)\",\"server\":\"10.3.0.1:80\"}\n")
        }
    }
}
