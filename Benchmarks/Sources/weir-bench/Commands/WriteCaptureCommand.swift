import ArgumentParser
import FoundationEssentials
import Glibc
import WeirWire

/// The capture writer as a program of its own; weir-bench starts it as a child of its own.
struct WriteCaptureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "write-capture",
        abstract: "Write a capture of packets of one size.",
        shouldDisplay: false
    )

    @Argument var file: String
    @Option(help: "How many bytes to write, or a few more.") var bytes: Int
    @Option(help: "Bytes of each packet, at least 54.") var size = 1024
    @Flag(help: "Unlink the file as soon as it is open.") var unlink = false
    @Flag(help: "Write the same bytes over and over without making a packet.") var plain = false

    /// Bytes of a packet's headers; the rest is payload, as where relayed bytes become a packet.
    private static let headers = 54
    /// Bytes that one write(2) takes at least.
    private static let pieceSize = 256 << 10

    func run() throws {
        let number = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard number >= 0 else { throw BenchError.lastCall("open", on: file) }
        let output = Descriptor(number)
        if unlink { Glibc.unlink(file) }
        var capture = Capture(packetSize: size)
        if plain { capture.fill(Self.pieceSize) }
        let start = Clock.nanoseconds()
        var report = LoadReport()
        while report.bytes < UInt64(bytes) {
            if !plain { capture.fill(Self.pieceSize) }
            let written = capture.buffer.withUnsafeBytes { write(output.number, $0.baseAddress, $0.count) }
            guard written == capture.buffer.count else { throw BenchError.lastCall("write", on: file) }
            report.bytes += UInt64(written)
            if !plain { capture.buffer.removeAll() }
        }
        report.operations = capture.packets
        report.startNanoseconds = start
        report.seconds = Clock.seconds(from: start, to: Clock.nanoseconds())
        report.clientSeconds = Clock.ownProcessorSeconds()
        Diagnostics.answer(String(decoding: try JSONEncoder().encode(report), as: UTF8.self))
    }

    /// A capture that is being written.
    private struct Capture: ~Copyable {
        var buffer = ByteBuffer(capacity: WriteCaptureCommand.pieceSize + 4096)
        var packets: UInt64 = 0
        private var writer = PcapngWriter()
        private let headers = [UInt8](repeating: 0x45, count: WriteCaptureCommand.headers)
        private let payload: [UInt8]

        init(packetSize: Int) {
            payload = [UInt8](repeating: 0x61, count: max(0, packetSize - WriteCaptureCommand.headers))
            writer.append(CaptureSection(application: "weir-bench"), to: &buffer)
            writer.append(CaptureInterface(linkType: .ethernet, snapLength: 262_144, name: "bench"), to: &buffer)
        }

        /// Appends packets until there are so many bytes.
        mutating func fill(_ size: Int) {
            let (headers, payload) = (headers, payload)
            while buffer.count < size {
                var packet = PacketMetadata(timestamp: 1_700_000_000_000_000_000 + Int64(packets) * 1000)
                packet.options = PacketOptions(flags: .inbound, packetID: packets)
                writer.append(packet, headers.span.bytes, payload.span.bytes, to: &buffer)
                packets += 1
            }
        }
    }
}
