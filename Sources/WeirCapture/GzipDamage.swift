/// The reason why a gzip file cannot be decompressed, or no further.
public enum GzipDamage: Hashable, Sendable {
    /// The file ends in the middle.
    case cut
    /// The file is invalid; with zlib's message.
    case malformed(String)
    /// After the end there are bytes that are not another gzip file.
    case trailing
    /// The file grows so much that it was probably made to fill memory or to take forever.
    case bomb(compressed: Int, decompressed: Int)
    /// zlib found no memory.
    case noMemory
}

extension GzipDamage: CustomStringConvertible {
    /// The reason in a few words.
    public var description: String {
        switch self {
        case .cut: "what gzip compressed is cut short"
        case .malformed(let word): "what gzip compressed is damaged: \(word)"
        case .trailing: "what gzip compressed is followed by something else"
        case .bomb(let compressed, let decompressed):
            "taken for a decompression bomb, since \(compressed) bytes have become \(decompressed); if it is none, "
                + "decompress it first, with gunzip"
        case .noMemory: "no memory to decompress it"
        }
    }
}
