import ArgumentParser
import FoundationEssentials
import WeirCapture
import WeirWire

/// The capture reader as a program of its own; weir-bench starts it as a child of its own.
struct ReadCaptureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "read-capture",
        abstract: "Count a capture's packets and bytes.",
        shouldDisplay: false
    )

    @Argument var file: String

    func run() throws {
        var capture = try CaptureFile(file)
        var packets: UInt64 = 0
        var bytes = 0
        var (first, last) = (Int64.max, Int64.min)
        while let item = try capture.next() {
            guard case .packet(let packet) = item else { continue }
            packets += 1
            bytes += packet.originalLength
            first = min(first, packet.timestamp ?? first)
            last = max(last, packet.timestamp ?? last)
        }
        var report = LoadReport(bytes: UInt64(bytes), operations: packets)
        // Taken while the buffers are alive, which is when there is the most.
        report.anonymousBytes = TextFile.read("/proc/self/status").flatMap(ProcessStatus.anonymousBytes)
        report.clientSeconds = Clock.ownProcessorSeconds()
        // The reader lives to here.
        guard capture.reader.position > 0, first <= last else { throw BenchError.load("\(file) holds no packet") }
        Diagnostics.answer(String(decoding: try JSONEncoder().encode(report), as: UTF8.self))
    }
}
