import Glibc
import WeirFlow
public import WeirWire

/// Reads a capture from a file or a pipe, of any size in constant memory; one that gzip compressed is decompressed.
///
///     var file = try CaptureFile("flows.pcapng")
///     while let item = try file.next() { ... }
public struct CaptureFile: ~Copyable {
    /// Holds the path, or `-` for standard input.
    public let path: String
    @usableFromInline var stream = CaptureStream(capacity: 2 * CaptureFile.pieceSize)
    private let descriptor: Int32
    private let isOwned: Bool
    /// Counts the bytes that were read from the file.
    public private(set) var bytesRead = 0
    private var ahead: ReadAhead?
    /// Holds bytes that were read before there was a reader.
    private var begun: [UInt8] = []
    #if Gzip
    private var inflater: GzipInflater?
    #endif

    /// Bytes that are read at once: more is no faster, fewer cost more calls.
    private static var pieceSize: Int { ReadAhead.pieceSize }
    /// Bytes of a file from which on it is worth a thread.
    private static var longFile: Int { 4 << 20 }

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

    /// Takes over a file that somebody has begun to read.
    ///
    /// - Parameters:
    ///   - descriptor: the file, which stands behind `first`; it stays the caller's, who closes it afterwards.
    ///   - path: names it in errors.
    ///   - first: what was read of it, 64 KiB at most.
    public init(_ descriptor: Int32, path: String, first: [UInt8]) {
        self.path = path
        self.descriptor = descriptor
        isOwned = false
        begun = first
    }

    deinit {
        if isOwned { close(descriptor) }
    }

    /// Gives the file's size in bytes; nil for a pipe, and what else has none.
    public var size: Int? {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(status.st_size)
    }

    /// Says whether gzip compressed the file, so that offsets in it are of what it becomes.
    public var isCompressed: Bool {
        #if Gzip
        inflater != nil
        #else
        false
        #endif
    }

    /// Says what the reader knows: the format, the offset in the file, the blocks that were left out.
    public var reader: CaptureReader { stream.reader }

    /// Reads the next item; nil at the end of the file.
    ///
    /// - Parameter beforeReading: Is called before more of the file is read, which can take long with a pipe.
    /// - Returns: The item.
    /// - Throws: `CaptureFailure.capture` when the file is none, or damaged, or cut; what was given before holds.
    ///   `CaptureFailure.system` when it cannot be read.
    public mutating func next(_ beforeReading: () -> Void = {}) throws(CaptureFailure) -> CaptureItem? {
        while true {
            do throws(CaptureFileError) {
                if let item = try stream.next() { return item }
            } catch {
                throw .capture(error, path: path)
            }
            beforeReading()
            if try readPiece() == 0 { break }
        }
        do throws(CaptureFileError) {
            try stream.finish()
        } catch {
            throw .capture(error, path: path)
        }
        return nil
    }

    /// Reads the next packet where nothing about it is special, and its bytes are there; nil where `next()` is to be asked.
    ///
    /// It gives what `next()` would, in half the time.
    @inlinable
    @inline(__always)
    public mutating func nextPlain() -> CapturedPacket? { stream.nextPlain() }

    /// Appends the next bytes of the capture, and returns how many they are: 0 at the end.
    private mutating func readPiece() throws(CaptureFailure) -> Int {
        let (descriptor, path) = (descriptor, path)
        var taken = 0
        #if !Gzip
        if !begun.isEmpty { return takeBegun() }
        #endif
        func fill(_ room: UnsafeMutableRawBufferPointer) throws(CaptureFailure) -> Int {
            let count = try Self.read(descriptor, path, room)
            taken += count
            return count
        }
        defer { bytesRead += taken }
        #if Gzip
        if bytesRead == 0, inflater == nil { return try readFirst() }
        if inflater != nil { return try Self.inflate(into: &stream, &inflater, fill) }
        #endif
        if ahead == nil, bytesRead <= Self.pieceSize, let size, size >= Self.longFile {
            ahead = ReadAhead(descriptor, path: path)
        }
        guard let ahead else { return try stream.append(upTo: Self.pieceSize, using: fill) }
        taken = try ahead.append(to: &stream)
        return taken
    }

    #if !Gzip
    private mutating func takeBegun() -> Int {
        let bytes = begun
        begun = []
        bytesRead = bytes.count
        stream.append(bytes.span.bytes)
        return bytes.count
    }
    #endif

    #if Gzip
    private static func inflate(
        into stream: inout CaptureStream,
        _ inflater: inout GzipInflater?,
        _ refill: GzipInflater.Refill
    ) throws(CaptureFailure) -> Int {
        try stream.append(upTo: pieceSize) { room throws(CaptureFailure) in
            try inflater?.inflate(into: room, refill) ?? 0
        }
    }

    /// Reads the first bytes, and finds out whether they are to be decompressed.
    private mutating func readFirst() throws(CaptureFailure) -> Int {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        defer { room.deallocate() }
        var count = min(begun.count, room.count)
        room.copyBytes(from: begun[..<count])
        begun = []
        // A pipe can give one byte at a time; 2 tell the format.
        while count < 2 {
            let more = try Self.read(descriptor, path, UnsafeMutableRawBufferPointer(rebasing: room[count...]))
            if more == 0 { break }
            count += more
        }
        bytesRead = count
        let first = UnsafeRawBufferPointer(rebasing: room[..<count])
        guard count >= 2, first[0] == 0x1f, first[1] == 0x8b else {
            stream.append(first.bytes)
            return count
        }
        inflater = GzipInflater(path: path, first: first)
        return try readPiece()
    }
    #endif

    /// Reads once, and waits where nothing is there yet.
    ///
    /// - Returns: how many bytes were read: 0 at the end.
    /// - Throws: `CaptureFailure.system`.
    package static func read(
        _ descriptor: Int32,
        _ path: String,
        _ room: UnsafeMutableRawBufferPointer
    ) throws(CaptureFailure) -> Int {
        while true {
            let count = Glibc.read(descriptor, room.baseAddress, room.count)
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

    /// Lends the bytes of the last packet that was given.
    ///
    /// - Parameters:
    ///   - packet: The packet.
    ///   - body: Reads the bytes.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    /// - Precondition: The packet is the last item that was given.
    @inlinable
    @inline(__always)
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
