#if Gzip
import CZlib
#endif

/// The bytes of a body after its content codings were undone, and what could not be.
public struct InflatedContent: Sendable {
    /// The bytes, as far as they could be had.
    public var bytes: [UInt8]
    /// The codings that were undone, in the order in which they were undone.
    public var undone: [String] = []
    /// What is wrong with the bytes, or is still coded, in a few words; nil if nothing is.
    public var trouble: String?

    /// Creates the content of a body without codings.
    public init(bytes: [UInt8]) {
        self.bytes = bytes
    }
}

/// The undoing of the content codings gzip and deflate.
///
/// Source: RFC 9110 section 8.4.1; RFC 1950, 1951 and 1952.
public enum ContentInflater {
    /// The size that is allowed however well the data was compressed, in bytes.
    private static let harmless = 16 << 20
    /// The maximum ratio of decompressed to compressed size beyond that.
    private static let largestRatio = 200
    /// The maximum number of codings of one body.
    private static let most = 8

    /// Undoes the codings of a body.
    ///
    /// - Parameters:
    ///   - bytes: The body as it was sent.
    ///   - codings: The value of `Content-Encoding`, in which the last coding was applied last; nil if there is none.
    ///   - limit: The maximum size of the result, in bytes.
    /// - Returns: The bytes as far as they could be had; those of a coding that is not known stay as they are.
    public static func inflate(_ bytes: [UInt8], codings: String?, limit: Int) -> InflatedContent {
        var content = InflatedContent(bytes: bytes)
        let words = (codings ?? "").split(separator: ",").map { word in
            String(
                word.lowercased().drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }
                    .reversed()
            )
        }
        for coding in words.reversed().prefix(most) where coding != "identity" && !coding.isEmpty {
            guard let format = Format(coding) else {
                content.trouble = "still coded as \(plain(coding))"
                return content
            }
            // The answer to HEAD, and others without a body, have the field, too.
            guard !content.bytes.isEmpty else { return content }
            guard canInflate else {
                content.trouble = "still coded as \(coding), as this weir was built without zlib"
                return content
            }
            content.trouble = inflate(&content.bytes, format, limit)
            content.undone.append(coding)
            if content.trouble != nil { return content }
        }
        return content
    }

    /// Returns a word from the traffic without what may control a terminal.
    private static func plain(_ word: String) -> String {
        String(String.UnicodeScalarView(word.unicodeScalars.prefix(32).map { $0.isPlain ? $0 : "_" }))
    }

    private enum Format {
        case gzip, deflate

        init?(_ coding: String) {
            switch coding {
            case "gzip", "x-gzip": self = .gzip
            case "deflate": self = .deflate
            default: return nil
            }
        }
    }

    #if !Gzip
    private static var canInflate: Bool { false }

    private static func inflate(_ bytes: inout [UInt8], _ format: Format, _ limit: Int) -> String? { nil }
    #else
    private static var canInflate: Bool { true }

    /// Inflates in place, and returns what is wrong.
    private static func inflate(_ bytes: inout [UInt8], _ format: Format, _ limit: Int) -> String? {
        var windows: [Int32] = [15 + 16]
        if format == .deflate {
            // Many servers send the data without the zlib header that the name stands for: RFC 9110 section 8.4.1.2.
            let hasHeader = bytes.count >= 2 && bytes[0] & 15 == 8 && (Int(bytes[0]) << 8 | Int(bytes[1])) % 31 == 0
            windows = hasHeader ? [15, -15] : [-15]
        }
        var trouble: String?
        for window in windows {
            var output: [UInt8] = []
            trouble = inflate(bytes, into: &output, window, limit)
            guard trouble == nil || !output.isEmpty || window == windows.last else { continue }
            if !output.isEmpty || trouble == nil { bytes = output }
            break
        }
        return trouble
    }

    private static func inflate(
        _ bytes: [UInt8],
        into output: inout [UInt8],
        _ window: Int32,
        _ limit: Int
    ) -> String? {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        defer { stream.deallocate() }
        guard inflateInit2_(stream, window, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            return "not inflated, as there is no memory"
        }
        defer { inflateEnd(stream) }
        var room = [UInt8](repeating: 0, count: 64 << 10)
        return bytes.withUnsafeBytes { source -> String? in
            // zlib does not write to its input.
            let base = source.bindMemory(to: UInt8.self).baseAddress
            stream.pointee.next_in = UnsafeMutablePointer(mutating: base)
            var left = source.count
            while true {
                if stream.pointee.avail_in == 0 {
                    let part = min(left, Int(UInt32.max))
                    stream.pointee.avail_in = UInt32(part)
                    left -= part
                }
                let (status, count) = room.withUnsafeMutableBytes { room in
                    stream.pointee.next_out = room.bindMemory(to: UInt8.self).baseAddress
                    stream.pointee.avail_out = UInt32(room.count)
                    let status = CZlib.inflate(stream, Z_NO_FLUSH)
                    return (status, room.count - Int(stream.pointee.avail_out))
                }
                let used = source.count - left - Int(stream.pointee.avail_in)
                guard output.count + count <= limit else {
                    output += room[..<(limit - output.count)]
                    return "cut: inflated it has more than \(limit) bytes"
                }
                output += room[..<count]
                if output.count > harmless, output.count / largestRatio > used {
                    return "cut: taken for a decompression bomb, as \(used) bytes have become \(output.count)"
                }
                switch status {
                case Z_STREAM_END:
                    // Several members in a row are one gzip file: RFC 1952 section 2.2.
                    let hasMore = window > 15 && used < source.count && source[used] == 0x1f
                    guard hasMore, inflateReset(stream) == Z_OK else { return nil }
                case Z_OK, Z_BUF_ERROR:
                    if count == 0, stream.pointee.avail_in == 0, left == 0 {
                        return "what is inflated is cut short"
                    }
                    if count == 0, status == Z_BUF_ERROR { return "what is inflated is cut short" }
                default: return "what is inflated is damaged"
                }
            }
        }
    }
    #endif
}

extension Unicode.Scalar {
    /// Whether a scalar is a visible character of ASCII.
    fileprivate var isPlain: Bool { value > 0x20 && value < 0x7f }
}
