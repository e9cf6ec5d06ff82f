import Glibc
import WeirAnalysis
import WeirCapture
import WeirEngine
import WeirRelay
import WeirWire

/// A reader of port choices from captures, or JSON lines of a relay; the first byte of a file or pipe tells which.
struct PortsRead: ~Copyable {
    private(set) var table = PortTable()
    /// The number of files that were read, at least in part.
    private(set) var files = 0
    private var packets = PortPackets()
    private var decoder = PacketDecoder()
    private var packet = DecodedPacket()
    private var failures: [Failure] = []
    /// Notes on what files contained that was left out.
    private var notes: [String] = []

    private static let pieceSize = 256 << 10

    /// Reads one file or pipe; keeps failures for `end`.
    mutating func read(_ path: String) {
        do {
            let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw CaptureFailure.system(attempt: "open '\(path)'", ErrorNumber(errno)) }
            defer { if path != "-" { close(descriptor) } }
            var first = [UInt8](repeating: 0, count: 64 << 10)
            let count = try first.withUnsafeMutableBytes { try CaptureFile.read(descriptor, path, $0) }
            first.removeLast(first.count - count)
            // No capture begins with '{', and a pipe can be read only once.
            if first.first == UInt8(ascii: "{") {
                try readLines(descriptor, path, first)
            } else {
                try readCapture(CaptureFile(descriptor, path: path, first: first))
            }
        } catch let failure as CaptureFailure {
            failures.append(Failure(reading: failure))
        } catch {
            failures.append(Failure(error))
        }
    }

    private mutating func readCapture(_ file: consuming CaptureFile) throws(CaptureFailure) {
        var file = file
        var isBegun = false
        while let item = try file.next() {
            if !isBegun { files += 1 }
            isBegun = true
            guard case .packet(let captured) = item else { continue }
            let length = captured.originalLength
            file.withBytes(of: captured) { bytes in
                decoder.decode(bytes, linkType: captured.linkType, originalLength: length, into: &packet)
            }
            packets.take(
                packet,
                at: captured.timestamp,
                comments: { file.metadata(of: captured).options.comments },
                into: &table
            )
        }
        if !isBegun { files += 1 }
    }

    private mutating func readLines(_ descriptor: Int32, _ path: String, _ first: [UInt8]) throws {
        var reader = PortLogReader()
        first.withUnsafeBytes { reader.read($0, into: &table) }
        var room = [UInt8](repeating: 0, count: Self.pieceSize)
        while true {
            let count = try room.withUnsafeMutableBytes { buffer throws(CaptureFailure) in
                try CaptureFile.read(descriptor, path, buffer)
            }
            guard count > 0 else { break }
            room.withUnsafeBytes { reader.read(UnsafeRawBufferPointer(rebasing: $0[..<count]), into: &table) }
        }
        reader.finish(into: &table)
        let (log, name) = (reader.log, path == "-" ? "standard input" : "'\(path)'")
        guard log.unknownLines < log.lines else {
            throw Failure(.dataError, "\(name): no line is a record of a relay's --log")
        }
        files += 1
        guard let line = log.firstUnknown else { return }
        notes.append(
            "\(name): \(log.unknownLines) of \(log.lines) lines are no record of a relay's --log, the first is line \(line)"
        )
    }

    /// Reports on standard error what was read but is in no series.
    func sayWhatWasLeftOut() {
        if table.leftOut > 0 { Diagnostics.print("\(table.leftOut) ports were left out: more than are kept") }
        for note in notes { Diagnostics.print(note) }
    }

    /// Reports the failures.
    ///
    /// - Throws: the exit code of the first failure with the message of the last; the others have been printed.
    consuming func end() throws(Failure) {
        guard let first = failures.first else { return }
        for failure in failures.dropLast() { Diagnostics.print(failure.message) }
        throw Failure(first.code, failures.last?.message ?? first.message)
    }
}
