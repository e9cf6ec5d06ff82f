/// A pcapng option that has no property of its own, as it is in the file.
///
/// The bytes are those of the file: a number in them is in the byte order of its section.
///
/// Source: draft-ietf-opsawg-pcapng section 3.5.
public struct CaptureOption: Hashable, Sendable {
    /// The option code; below 32,768 its meaning depends on the block.
    public var code: UInt16
    /// The Private Enterprise Number of a custom option; nil for any other.
    public var enterprise: UInt32?
    /// The value, without padding and without the enterprise number; at most 65,535 bytes.
    public var bytes: [UInt8]

    /// Creates an option of any code.
    public init(code: UInt16, bytes: [UInt8]) {
        self.init(code: code, enterprise: nil, bytes: bytes)
    }

    /// Creates a custom option.
    public init(custom code: CustomCode, enterprise: UInt32, bytes: [UInt8]) {
        self.init(code: code.rawValue, enterprise: enterprise, bytes: bytes)
    }

    init(code: UInt16, enterprise: UInt32?, bytes: [UInt8]) {
        self.code = code
        self.enterprise = enterprise
        self.bytes = bytes
    }

    /// The four codes of custom options.
    public enum CustomCode: UInt16, Sendable, CaseIterable {
        /// UTF-8 that a program may copy when it changes the file.
        case string = 2988
        /// Bytes that a program may copy.
        case bytes = 2989
        /// UTF-8 that a program must not copy.
        case localString = 19372
        /// Bytes that a program must not copy.
        case localBytes = 19373
    }
}

/// The option codes that every block shares.
enum CommonOption {
    static let end: UInt16 = 0
    static let comment: UInt16 = 1
}
