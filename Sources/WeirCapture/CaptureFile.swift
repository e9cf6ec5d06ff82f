import Glibc
import WeirEngine
public import WeirWire

/// A reader of a capture in a file or a pipe, of any size in constant memory; it decompresses gzip.
///
/// A log of a relay (`--log`) is read as the capture that `--record` makes of the same records.
///
///     var file = try CaptureFile("flows.pcapng")
///     while let item = try file.next() { ... }
public struct CaptureFile: ~Copyable {
    /// The path, or `-` for standard input.
    public let path: String
    @usableFromInline var stream = CaptureStream(capacity: 2 * CaptureFile.pieceSize)
    private let descriptor: Int32
    private let isOwned: Bool
    /// The number of bytes read from the file.
    public private(set) var bytesRead = 0
    private var ahead: ReadAhead?
    /// The bytes that were read before this reader existed.
    private var begun: [UInt8] = []
    #if Gzip
    private var inflater: GzipInflater?
    #endif
    /// The reader of a log; nil if the file is a capture.
    private var log: LogCapture?
    /// The bytes of a log while they are read, in place of `stream`.
    private var text = CaptureStream(capacity: 0)
    private let runsLeftOut: Set<Int>
    private var isKnown = false
    private var isLogEnded = false

    /// The number of bytes read at once: more is no faster, and fewer cost more calls.
    private static var pieceSize: Int { ReadAhead.pieceSize }
    /// The size in bytes from which on reading a file ahead is worth a thread.
    private static var longFile: Int { 4 << 20 }

    /// Opens a file; `-` is standard input.
    ///
    /// - Parameters:
    ///   - path: The path.
    ///   - runs: The numbers of the runs, from 1, that are left out if the file is a relay's log.
    /// - Throws: `CaptureFailure.system` if it cannot be opened.
    public init(_ path: String, leavingOut runs: Set<Int> = []) throws(CaptureFailure) {
        let isOwned = path != "-"
        let descriptor = isOwned ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO
        guard descriptor >= 0 else { throw .system(attempt: "open '\(path)'", ErrorNumber(errno)) }
        self.path = path
        self.descriptor = descriptor
        self.isOwned = isOwned
        runsLeftOut = runs
    }

    /// Takes over a file whose first bytes were already read.
    ///
    /// - Parameters:
    ///   - descriptor: The file, positioned after `first`; it remains the caller's, who must close it afterwards.
    ///   - path: The path for errors.
    ///   - first: The bytes already read, at most 64 KiB.
    public init(_ descriptor: Int32, path: String, first: [UInt8]) {
        self.path = path
        self.descriptor = descriptor
        isOwned = false
        runsLeftOut = []
        begun = first
    }

    deinit {
        if isOwned { close(descriptor) }
    }

    /// The file's size in bytes; nil for a pipe and others without a size.
    public var size: Int? {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(status.st_size)
    }

    /// Whether the file is compressed with gzip, so that offsets are those in the decompressed data.
    public var isCompressed: Bool {
        #if Gzip
        inflater != nil
        #else
        false
        #endif
    }

    /// Whether the file is a log of a relay, as far as it was read.
    public var isLog: Bool { log != nil }

    /// Whether the file is a log of which chunks had no bytes, so far.
    public var lacksBytes: Bool { log?.lacksBytes ?? false }

    /// What to know of a log besides its flows, each in words that follow the file's name: lines that are no records,
    /// several runs, and what toxics did to bytes that it does not have.
    public var notes: [String] { log?.notes ?? [] }

    /// The reader, with the format, the offset in the file and the number of skipped blocks.
    public var reader: CaptureReader { stream.reader }

    /// Reads the next item; nil at the end of the file.
    ///
    /// - Parameters:
    ///   - beforeReading: A closure to call before more of the file is read, which can take long with a pipe.
    ///   - messages: A closure that receives the messages of a log without bytes, after the packets of their chunks.
    /// - Returns: The item.
    /// - Throws: `CaptureFailure.capture` if the file is no capture, or is damaged or cut; everything read before is
    ///   valid. `CaptureFailure.system` if it cannot be read.
    public mutating func next(
        _ beforeReading: () -> Void = {},
        messages: ([LoggedMessage]) -> Void = { _ in }
    ) throws(CaptureFailure) -> CaptureItem? {
        while true {
            do throws(CaptureFileError) {
                if let item = try stream.next() { return item }
            } catch {
                throw .capture(error, path: path)
            }
            if let logged = log?.takeMessages(), !logged.isEmpty { messages(logged) }
            beforeReading()
            if try readMore() == 0 { break }
        }
        do throws(CaptureFileError) {
            try stream.finish()
        } catch {
            throw .capture(error, path: path)
        }
        if let cut = log?.cut { throw .log(cut, path: path) }
        return nil
    }

    /// Reads the next packet if it is a plain one and in memory; nil if not, and the caller must use `next()`.
    ///
    /// It returns the same as `next()`, in half the time.
    @inlinable
    @inline(__always)
    public mutating func nextPlain() -> CapturedPacket? { stream.nextPlain() }

    /// Appends the next bytes of the capture, or those that are made of a log; returns 0 at the end.
    private mutating func readMore() throws(CaptureFailure) -> Int {
        if isKnown, log == nil { return try readPiece() }
        if log == nil {
            let count = try readPiece()
            isKnown = true
            guard stream.begins(with: UInt8(ascii: "{")) else { return count }
            log = LogCapture(leavingOut: runsLeftOut)
            return readLog(count)
        }
        guard !isLogEnded else { return 0 }
        swap(&stream, &text)
        let count: Int
        do throws(CaptureFailure) {
            count = try readPiece()
        } catch {
            swap(&stream, &text)
            throw error
        }
        guard count == 0 else { return readLog(count) }
        isLogEnded = true
        _ = readLog(count)
        if let log, log.lines == log.unknownLines {
            throw .log("neither a capture nor a log: no line is a record of weir relay --log", path: path)
        }
        return 1
    }

    /// Makes packets of the bytes of a log that are in `stream`, and puts `stream` back in its place.
    private mutating func readLog(_ count: Int) -> Int {
        swap(&stream, &text)
        var packets = ByteBuffer(capacity: 0)
        text.takeAll { log?.read($0, into: &packets) }
        if isLogEnded { log?.finish(into: &packets) }
        packets.withUnsafeBytes { stream.append($0.bytes) }
        return count
    }

    /// Appends the next bytes of the file, and returns their number: 0 at the end.
    mutating func readPiece() throws(CaptureFailure) -> Int {
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

    /// Reads the first bytes, and detects whether they are compressed.
    private mutating func readFirst() throws(CaptureFailure) -> Int {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        defer { room.deallocate() }
        var count = min(begun.count, room.count)
        room.copyBytes(from: begun[..<count])
        begun = []
        // A pipe may deliver one byte at a time; 2 bytes decide the format.
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

    /// Reads once, and waits if nothing is there yet.
    ///
    /// - Returns: The number of bytes read: 0 at the end.
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
                // Another program that shares standard input may have made it non-blocking.
                var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                poll(&entry, 1, -1)
            default: throw .system(attempt: "read '\(path)'", ErrorNumber(errno))
            }
        }
    }

    /// Lends the bytes of the last packet that was returned.
    ///
    /// - Parameters:
    ///   - packet: The packet.
    ///   - body: Reads the bytes.
    /// - Returns: What `body` returns.
    /// - Throws: What `body` throws.
    /// - Precondition: The packet is the last item that was returned.
    @inlinable
    @inline(__always)
    public func withBytes<Result: ~Copyable, Failure: Error>(
        of packet: CapturedPacket,
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try stream.withBytes(of: packet, body)
    }

    /// Returns what the file records about the last packet that was returned, besides its bytes.
    ///
    /// - Precondition: The packet is the last item that was returned.
    public func metadata(of packet: CapturedPacket) -> PacketMetadata {
        stream.metadata(of: packet)
    }
}
