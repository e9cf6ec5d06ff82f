import ArgumentParser
import FoundationEssentials
import Glibc
import WeirWire

/// The dump renderer as a program of its own; weir-bench starts it as a child of its own.
struct RenderCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "render",
        abstract: "Write the dump of a file to /dev/null.",
        shouldDisplay: false
    )

    @Argument var file: String

    func run() throws {
        let start = Clock.nanoseconds()
        let bytes = try render()
        var report = LoadReport(bytes: UInt64(bytes), operations: 1)
        report.startNanoseconds = start
        report.seconds = Clock.seconds(from: start, to: Clock.nanoseconds())
        report.clientSeconds = Clock.ownProcessorSeconds()
        Diagnostics.answer(String(decoding: try JSONEncoder().encode(report), as: UTF8.self))
    }

    private func render() throws(BenchError) -> Int {
        let input = try openFile(file, O_RDONLY)
        let output = try openFile("/dev/null", O_WRONLY)
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        var dump = ByteBuffer(capacity: HexDump.size(of: chunk.count))
        var total = 0
        while true {
            let count = read(input.number, &chunk, chunk.count)
            guard count >= 0 else { throw .lastCall("read", on: file) }
            if count == 0 { return total }
            total += count
            dump.removeAll()
            HexDump.append(chunk.span.extracting(first: count).bytes, to: &dump)
            let written = dump.withUnsafeBytes { write(output.number, $0.baseAddress, $0.count) }
            guard written == dump.count else { throw .lastCall("write", on: "/dev/null") }
        }
    }

    private func openFile(_ path: String, _ mode: Int32) throws(BenchError) -> Descriptor {
        let number = open(path, mode | O_CLOEXEC)
        guard number >= 0 else { throw .lastCall("open", on: path) }
        return Descriptor(number)
    }
}
