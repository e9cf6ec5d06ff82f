/// Holds an option of a pcapng block that has no place of its own, as it stands in the file.
///
/// The bytes are those of the file: a number in them is in the byte order of its section.
///
/// Source: draft-ietf-opsawg-pcapng section 3.5.
public struct CaptureOption: Hashable, Sendable {
    /// Says what the option is; below 32,768 the meaning depends on the block.
    public var code: UInt16
    /// Holds the Private Enterprise Number of a custom option, nil for any other.
    public var enterprise: UInt32?
    /// Holds the value, without padding and without the enterprise number; at most 65,535 bytes.
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

    /// Names the four codes of custom options.
    public enum CustomCode: UInt16, Sendable, CaseIterable {
        /// Holds UTF-8, and may be copied by a program that changes the file.
        case string = 2988
        /// Holds bytes, and may be copied.
        case bytes = 2989
        /// Holds UTF-8, and must not be copied.
        case localString = 19372
        /// Holds bytes, and must not be copied.
        case localBytes = 19373
    }
}

/// Names the option codes that every block shares.
enum CommonOption {
    static let end: UInt16 = 0
    static let comment: UInt16 = 1
}
