/// Says why a file that gzip compressed cannot be decompressed, or no further.
public enum GzipDamage: Hashable, Sendable {
    /// Ends in the middle.
    case cut
    /// Contradicts itself; holds zlib's word for it.
    case malformed(String)
    /// Has bytes behind its end that are no further gzip file.
    case trailing
    /// Grows so much that it was made to fill a memory or to take for ever.
    case bomb(compressed: Int, decompressed: Int)
    /// Found no memory for zlib.
    case noMemory
}

extension GzipDamage: CustomStringConvertible {
    /// Says it in a few words.
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
