/// A file that went over FTP or TFTP.
public struct TransferredFile: Sendable {
    /// The protocol.
    public enum Kind: String, Sendable {
        case ftp, tftp
    }

    /// The protocol.
    public var kind: Kind
    /// The place in the table of the flow that asked for the file.
    public var place: Int
    /// The path of the file, as it was asked for.
    public var name: String
    /// Whether the client sent the file.
    public var isUpload: Bool
    /// The bytes, with zeros in place of those that are missing.
    public var bytes: [UInt8] = []
    /// Whether the end of the file was captured.
    public var hasEnd = false
    /// The number of bytes that were not captured, as far as it is known.
    public var missing = 0
    /// The number of bytes that were not kept, because there are too many.
    public var leftOut = 0

    /// The maximum number of bytes of a file that are kept.
    static let longest = 512 << 20

    init(_ kind: Kind, place: Int, name: String, isUpload: Bool) {
        self.kind = kind
        self.place = place
        self.name = name
        self.isUpload = isUpload
    }

    /// Whether all bytes are there.
    public var isWhole: Bool { hasEnd && missing == 0 && leftOut == 0 }

    /// Adds bytes at the end.
    mutating func append(_ part: RawSpan) {
        let kept = min(part.byteCount, Self.longest - bytes.count)
        part.extracting(first: kept).withUnsafeBytes { bytes.append(contentsOf: $0) }
        leftOut += part.byteCount - kept
    }

    /// Adds bytes that were not captured.
    mutating func appendMissing(_ count: Int) {
        let kept = min(count, Self.longest - bytes.count)
        bytes.append(contentsOf: repeatElement(0, count: kept))
        missing += count
    }
}
