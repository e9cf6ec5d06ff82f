public import WeirSinks
public import WeirWire

/// The description of a capture for the head of its file.
public struct CaptureDescription: Hashable, Sendable {
    /// The format of the file.
    public var format = CaptureSettings.Format.pcapng
    /// The link type of the packets: their outermost header.
    public var linkType: LinkType
    /// The maximum number of bytes captured of a packet.
    public var snapLength: Int
    /// Whether times are in nanoseconds, not in microseconds.
    public var isNanoseconds = true
    /// The name of the interface.
    public var interface: String?
    /// The filter, in libpcap's language.
    public var filter = ""
    /// The name of the program that writes the file.
    public var application = "weir"
    /// The comments on the file.
    public var comments: [String] = []
    /// The operating system that the program runs on.
    public var operatingSystem: String?

    /// Creates the description of a capture with times in nanoseconds.
    public init(linkType: LinkType, snapLength: Int = CaptureSource.largestSnapLength) {
        self.linkType = linkType
        self.snapLength = snapLength
    }

    /// Creates the description of an open capture.
    public init(_ handle: borrowing CaptureHandle, of source: CaptureSource) {
        linkType = handle.linkType
        snapLength = handle.snapLength
        isNanoseconds = handle.isNanoseconds
        interface = source.interface
        filter = source.filter
    }
}
