/// The reason why a capture cannot be read, or not to its end; everything read before it is valid.
///
/// Offsets are in bytes from the start of the file. The description is one line, without the file's name.
public enum CaptureFileError: Error, Hashable, Sendable {
    /// Neither a pcap nor a pcapng file; with up to 4 of its first bytes.
    case notCapture([UInt8])
    /// A version that Weir does not read.
    case unsupported(version: CaptureVersion, at: Int)
    /// The file ends in the middle of the item at an offset.
    ///
    /// The item's size is in bytes, as far as it is known; `available` is the number of its bytes in the file.
    case truncated(needed: Int, available: Int, at: Int)
    /// A contradiction in the item at an offset.
    case malformed(CaptureDamage, at: Int)

    /// The offset of the item that could not be read, in bytes.
    public var offset: Int {
        switch self {
        case .notCapture: 0
        case .unsupported(_, let offset), .truncated(_, _, let offset), .malformed(_, let offset): offset
        }
    }
}

/// A version of one of the two formats.
public struct CaptureVersion: Hashable, Sendable {
    /// Whether the format is pcapng, not pcap.
    public var isPcapng: Bool
    /// The major version.
    public var major: UInt16
    /// The minor version.
    public var minor: UInt16

    /// Creates a version from its parts.
    public init(isPcapng: Bool, major: UInt16, minor: UInt16) {
        self.isPcapng = isPcapng
        self.major = major
        self.minor = minor
    }
}

/// The contradiction in a damaged capture.
public enum CaptureDamage: Hashable, Sendable {
    /// A section header with an unknown byte-order magic.
    case byteOrder(UInt32)
    /// A block that is too short or too long for its type.
    case blockLength(UInt32)
    /// A block whose length at its end differs from that at its beginning.
    case lengthsDiffer(UInt32, UInt32)
    /// A packet with more bytes than its link type allows.
    case packetTooLong(UInt32, limit: Int)
    /// A packet with more bytes than its block.
    case packetBeyondBlock(UInt32)
    /// A packet of an interface that was not described.
    case noInterface(UInt32, described: Int)
    /// More interfaces than a reader keeps.
    case tooManyInterfaces(limit: Int)
    /// An option with more bytes than are left of its block.
    case optionBeyondBlock(code: UInt16, length: Int)
    /// An option with a length that its code does not allow.
    case optionLength(code: UInt16, length: Int)
    /// A name record with more bytes than are left of its block, fewer than its address, or a name without an end.
    case nameRecord(type: UInt16, length: Int)
    /// Secrets with more bytes than their block.
    case secretsBeyondBlock(UInt32)
}

extension CaptureFileError: CustomStringConvertible {
    /// The problem, its place and what to do about it, in one line.
    public var description: String {
        switch self {
        case .notCapture(let magic): Self.describe(magic)
        case .unsupported(let version, let offset):
            "\(version.isPcapng ? "pcapng" : "pcap") \(version.major).\(version.minor) at byte \(offset) is a version "
                + "that Weir does not read; it reads pcap 2.x, pcapng 1.0 and 1.2"
        case .truncated(let needed, let available, let offset):
            "cut short at byte \(offset + available): what begins at byte \(offset) has \(needed) bytes or more, and "
                + "\(available) are there; all before it can be used"
        case .malformed(let damage, let offset):
            "damaged at byte \(offset): \(damage); all before it can be used"
        }
    }

    private static func describe(_ magic: [UInt8]) -> String {
        if magic.isEmpty { return "neither a capture nor a log: it is empty" }
        for (start, name, program) in compressed where magic.starts(with: start) {
            return "compressed with \(name); decompress it first, with \(program)"
        }
        return "neither a capture nor a log: it begins with (\(hex(magic))); Weir reads pcap and pcapng, also "
            + "compressed with gzip, and the JSON Lines of weir relay --log"
    }

    /// The first bytes of compressed files, with the format and the program that decompresses it.
    private static let compressed: [(start: [UInt8], name: String, program: String)] = [
        ([0x1f, 0x8b], "gzip", "gunzip"),
        ([0x28, 0xb5, 0x2f, 0xfd], "zstd", "unzstd"),
        ([0x04, 0x22, 0x4d, 0x18], "lz4", "unlz4"),
        ([0x42, 0x5a, 0x68], "bzip2", "bunzip2"),
        ([0xfd, 0x37, 0x7a, 0x58], "xz", "unxz"),
    ]

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
    }
}

extension CaptureDamage: CustomStringConvertible {
    /// The contradiction in words.
    public var description: String {
        switch self {
        case .byteOrder(let magic): "no byte order is written as 0x\(String(magic, radix: 16))"
        case .blockLength(let length): "a block of this type is not \(length) bytes long"
        case .lengthsDiffer(let first, let second):
            "the block is \(first) bytes long at its beginning and \(second) at its end"
        case .packetTooLong(let length, let limit): "a packet of \(length) bytes is longer than \(limit)"
        case .packetBeyondBlock(let length): "a packet of \(length) bytes is longer than its block"
        case .noInterface(let number, let count): "interface \(number) is not one of the \(count) described before"
        case .tooManyInterfaces(let limit): "a section has more than \(limit) interfaces"
        case .optionBeyondBlock(let code, let length): "option \(code) with \(length) bytes is longer than its block"
        case .optionLength(let code, let length): "option \(code) is not \(length) bytes long"
        case .nameRecord(let type, let length): "a name record of type \(type) is not \(length) bytes long"
        case .secretsBeyondBlock(let length): "secrets of \(length) bytes are longer than their block"
        }
    }
}
