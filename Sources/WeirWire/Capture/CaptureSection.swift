/// The header of a section: its origin, and the byte order of everything up to the next section.
///
/// A section is written with an unknown length, and as version 1.0.
///
/// Source: draft-ietf-opsawg-pcapng section 4.1.
public struct CaptureSection: Hashable, Sendable {
    /// The byte order of the section's numbers.
    public var byteOrder: ByteOrder
    /// The hardware of the capturing machine.
    public var hardware: String?
    /// The operating system of the capturing machine.
    public var operatingSystem: String?
    /// The program that wrote the section.
    public var application: String?
    /// The comments.
    public var comments: [String]
    /// The options that have no property above.
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

    /// The option codes of the Section Header Block.
    enum Code {
        static let hardware: UInt16 = 2
        static let operatingSystem: UInt16 = 3
        static let application: UInt16 = 4
    }
}
