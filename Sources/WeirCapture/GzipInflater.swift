#if Gzip
import CZlib

/// A decompressor of a gzip file, or of several in a row, piece by piece in constant memory.
///
/// Source: RFC 1952; zlib.h.
struct GzipInflater: ~Copyable {
    /// A closure that fills a buffer with the next compressed bytes, and returns their number: 0 at the file's end.
    typealias Refill = (UnsafeMutableRawBufferPointer) throws(CaptureFailure) -> Int

    /// The number of bytes read at once.
    private static var inputSize: Int { 64 << 10 }
    /// The decompressed size in bytes that is allowed for any file.
    private static var harmless: Int { 1 << 30 }
    /// The maximum ratio of decompressed to compressed size beyond that; gzip reaches 1,032 if all bytes are the same.
    private static var largestRatio: Int { 200 }

    private let path: String
    /// On the heap, because zlib keeps a pointer to it.
    private let stream: UnsafeMutablePointer<z_stream>
    private let input: UnsafeMutableRawBufferPointer
    private var hasEnded = false
    private var failure: CaptureFailure?
    private var compressed = 0
    private var decompressed = 0

    /// Creates a decompressor with the first bytes of a file.
    ///
    /// - Precondition: There are at most 64 KiB.
    init(path: String, first bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count <= Self.inputSize, "more than is read at once")
        self.path = path
        input = .allocate(byteCount: Self.inputSize, alignment: 16)
        input.copyMemory(from: bytes)
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        if weir_inflate_init_gzip(stream) != Z_OK { failure = .gzip(.noMemory, at: 0, path: path) }
        offer(bytes.count)
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        input.deallocate()
    }

    /// Writes the next bytes into a buffer, and returns their number: 0 at the end.
    mutating func inflate(into room: UnsafeMutableRawBufferPointer, _ refill: Refill) throws(CaptureFailure) -> Int {
        if let failure { throw failure }
        var written = 0
        while written < room.count, failure == nil {
            if stream.pointee.avail_in == 0 {
                // Bytes that are there are returned before the decompressor waits for more.
                if written > 0 { return written }
                let count = try refill(input)
                guard count > 0 else {
                    if hasEnded { return 0 }
                    throw fail(.cut)
                }
                offer(count)
            }
            if hasEnded {
                // The end of one file is returned before what follows it is looked at, which may be no gzip file.
                if written > 0 { return written }
                if try !beginNext(refill) { return 0 }
            }
            written += step(UnsafeMutableRawBufferPointer(rebasing: room[written...]))
        }
        if written == 0, let failure { throw failure }
        return written
    }

    /// Decompresses once; if that fails, the bytes before the failure are returned first.
    private mutating func step(_ room: UnsafeMutableRawBufferPointer) -> Int {
        stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(clamping: room.count)
        let before = (Int(stream.pointee.avail_in), Int(stream.pointee.avail_out))
        let status = CZlib.inflate(stream, Z_NO_FLUSH)
        let written = before.1 - Int(stream.pointee.avail_out)
        compressed += before.0 - Int(stream.pointee.avail_in)
        decompressed += written
        switch status {
        case Z_OK, Z_BUF_ERROR: break
        case Z_STREAM_END: hasEnded = true
        case Z_MEM_ERROR: _ = fail(.noMemory)
        default: _ = fail(.malformed(stream.pointee.msg.map { String(cString: $0) } ?? "no data of gzip"))
        }
        if decompressed > Self.harmless, decompressed / Self.largestRatio > compressed {
            _ = fail(.bomb(compressed: compressed, decompressed: decompressed))
        }
        return written
    }

    /// Continues with a gzip file after the first one, as `gunzip` does; zeros between them are padding.
    ///
    /// - Returns: Whether there is another file.
    private mutating func beginNext(_ refill: Refill) throws(CaptureFailure) -> Bool {
        while true {
            while stream.pointee.avail_in > 0, stream.pointee.next_in?.pointee == 0 {
                stream.pointee.next_in += 1
                stream.pointee.avail_in -= 1
                compressed += 1
            }
            if stream.pointee.avail_in > 0 { break }
            let count = try refill(input)
            if count == 0 { return false }
            offer(count)
        }
        guard stream.pointee.next_in?.pointee == 0x1f, inflateReset(stream) == Z_OK else { throw fail(.trailing) }
        hasEnded = false
        return true
    }

    private func offer(_ count: Int) {
        stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = UInt32(clamping: count)
    }

    private mutating func fail(_ damage: GzipDamage) -> CaptureFailure {
        let failure = CaptureFailure.gzip(damage, at: compressed, path: path)
        self.failure = failure
        return failure
    }
}
#endif
