/// Holds the header of a section: who made it, and the byte order of all that follows until the next one.
///
/// A section is written without its length, which says that the length is not known, and as version 1.0.
///
/// Source: draft-ietf-opsawg-pcapng section 4.1.
public struct CaptureSection: Hashable, Sendable {
    /// Says in which order the numbers of the section stand.
    public var byteOrder: ByteOrder
    /// Names the hardware that captured.
    public var hardware: String?
    /// Names the operating system that captured.
    public var operatingSystem: String?
    /// Names the program that wrote the section.
    public var application: String?
    /// Holds the comments.
    public var comments: [String]
    /// Holds options that have no place above.
    public var others: [CaptureOption]

    /// Creates the header of a section.
    public init(
        byteOrder: ByteOrder = .host,
        hardware: String? = nil,
        operatingSystem: String? = nil,
        application: String? = nil,
        comments: [String] = [],
        others: [CaptureOption] = []
    ) {
        self.byteOrder = byteOrder
        self.hardware = hardware
        self.operatingSystem = operatingSystem
        self.application = application
        self.comments = comments
        self.others = others
    }

    /// Names the option codes of the Section Header Block.
    enum Code {
        static let hardware: UInt16 = 2
        static let operatingSystem: UInt16 = 3
        static let application: UInt16 = 4
    }
}
