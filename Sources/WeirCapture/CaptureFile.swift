import Glibc
import WeirFlow
public import WeirWire

/// Reads a capture from a file or a pipe, of any size in constant memory.
///
///     var file = try CaptureFile("flows.pcapng")
///     while let item = try file.next() { ... }
public struct CaptureFile: ~Copyable {
    /// Holds the path, or `-` for standard input.
    public let path: String
    private var stream = CaptureStream(capacity: 2 * CaptureFile.pieceSize)
    private let descriptor: Int32
    private let isOwned: Bool

    /// Bytes that are read at once: more is no faster, fewer cost more calls.
    private static var pieceSize: Int { 256 << 10 }

    /// Opens a file; `-` is standard input.
    ///
    /// - Throws: `CaptureFailure.system` when it cannot be opened.
    public init(_ path: String) throws(CaptureFailure) {
        let isOwned = path != "-"
        let descriptor = isOwned ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO
        guard descriptor >= 0 else { throw .system(attempt: "open '\(path)'", ErrorNumber(errno)) }
        self.path = path
        self.descriptor = descriptor
        self.isOwned = isOwned
    }

    deinit {
        if isOwned { close(descriptor) }
    }

    /// Says what the reader knows: the format, the offset in the file, the blocks that were left out.
    public var reader: CaptureReader { stream.reader }

    /// Reads the next item; nil at the end of the file.
    ///
    /// - Throws: `CaptureFailure.capture` when the file is none, or damaged, or cut; what was given before holds.
    ///   `CaptureFailure.system` when it cannot be read.
    public mutating func next() throws(CaptureFailure) -> CaptureItem? {
        while true {
            do throws(CaptureFileError) {
                if let item = try stream.next() { return item }
            } catch {
                throw .capture(error, path: path)
            }
            if try readPiece() == 0 { break }
        }
        do throws(CaptureFileError) {
            try stream.finish()
        } catch {
            throw .capture(error, path: path)
        }
        return nil
    }

    private mutating func readPiece() throws(CaptureFailure) -> Int {
        let (descriptor, path) = (descriptor, path)
        return try stream.append(upTo: Self.pieceSize) { room throws(CaptureFailure) in
            while true {
                let count = read(descriptor, room.baseAddress, room.count)
                if count >= 0 { return count }
                switch errno {
                case EINTR: continue
                case EAGAIN:
                    // Standard input may have been made non-blocking by whoever shares it.
                    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                    poll(&entry, 1, -1)
                default: throw .system(attempt: "read '\(path)'", ErrorNumber(errno))
                }
            }
        }
    }

    /// Lends the bytes of the last packet that was given.
    ///
    /// - Parameters:
    ///   - packet: The packet.
    ///   - body: Reads the bytes.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    /// - Precondition: The packet is the last item that was given.
    public func withBytes<Result: ~Copyable, Failure: Error>(
        of packet: CapturedPacket,
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try stream.withBytes(of: packet, body)
    }

    /// Reads what the file says about the last packet that was given, besides its bytes.
    ///
    /// - Precondition: The packet is the last item that was given.
    public func metadata(of packet: CapturedPacket) -> PacketMetadata {
        stream.metadata(of: packet)
    }
}
