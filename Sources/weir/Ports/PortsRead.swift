import Glibc
import WeirCapture
import WeirFlow
import WeirRelay
import WeirWire

/// Reads choices of ports from files: captures, or JSON lines of a relay, each told by its first byte.
struct PortsRead: ~Copyable {
    private(set) var table = PortTable()
    /// Counts the files that were read, at least in part.
    private(set) var files = 0
    private var packets = PortPackets()
    private var decoder = PacketDecoder()
    private var packet = DecodedPacket()
    private var failures: [Failure] = []
    private var unknownLines = 0

    private static let pieceSize = 256 << 10

    /// Reads one file; what fails is kept for `end`.
    mutating func read(_ path: String) {
        do {
            if try Self.holdsLines(path) { try readLines(path) } else { try readCapture(path) }
        } catch let failure as CaptureFailure {
            failures.append(Failure(reading: failure))
        } catch {
            failures.append(Failure(error))
        }
    }

    /// Says whether a file begins as JSON does; a pipe, which can be read once, is taken for a capture.
    private static func holdsLines(_ path: String) throws(CaptureFailure) -> Bool {
        let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(attempt: "open '\(path)'", ErrorNumber(errno)) }
        defer { if path != "-" { close(descriptor) } }
        var first: UInt8 = 0
        let count = pread(descriptor, &first, 1, 0)
        return count == 1 && first == UInt8(ascii: "{")
    }

    private mutating func readCapture(_ path: String) throws(CaptureFailure) {
        var file = try CaptureFile(path)
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

    private mutating func readLines(_ path: String) throws {
        let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CaptureFailure.system(attempt: "open '\(path)'", ErrorNumber(errno)) }
        defer { if path != "-" { close(descriptor) } }
        files += 1
        var log = PortLog()
        var room = [UInt8](repeating: 0, count: Self.pieceSize)
        var held = 0
        while true {
            if held == room.count { room += [UInt8](repeating: 0, count: room.count) }
            let count = room.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress.map { $0 + held }, buffer.count - held)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw CaptureFailure.system(attempt: "read '\(path)'", ErrorNumber(errno)) }
            let end = held + count
            let taken = Self.takeLines(room, end, isLast: count == 0, &log, &table)
            guard count > 0 else { break }
            room.withUnsafeMutableBytes { buffer in
                guard let base = buffer.baseAddress else { return }
                memmove(base, base + taken, end - taken)
            }
            held = end - taken
        }
        unknownLines += log.unknownLines
    }

    /// Reads the whole lines of a piece, and says where the last one ends.
    private static func takeLines(
        _ room: [UInt8],
        _ end: Int,
        isLast: Bool,
        _ log: inout PortLog,
        _ table: inout PortTable
    ) -> Int {
        room.withUnsafeBytes { buffer in
            var start = 0
            while start < end {
                let rest = UnsafeRawBufferPointer(rebasing: buffer[start..<end])
                guard let base = rest.baseAddress, let feed = memchr(base, 10, rest.count) else {
                    // The last line of a log that is still written may be cut.
                    if isLast { log.read(rest.bytes, into: &table) }
                    break
                }
                let length = UnsafeRawPointer(feed) - base
                log.read(UnsafeRawBufferPointer(rebasing: rest[..<length]).bytes, into: &table)
                start += length + 1
            }
            return start
        }
    }

    /// Says on standard error what was read and is in no series.
    func sayWhatWasLeftOut() {
        if table.leftOut > 0 { Diagnostics.print("\(table.leftOut) ports were left out: more than are kept") }
        if unknownLines > 0 { Diagnostics.print("\(unknownLines) lines were none of a relay's records") }
    }

    /// Says what failed.
    ///
    /// - Throws: the first failure; those behind it have been printed then.
    consuming func end() throws(Failure) {
        guard let first = failures.first else { return }
        for failure in failures.dropLast() { Diagnostics.print(failure.message) }
        throw Failure(first.code, failures.last?.message ?? first.message)
    }
}
