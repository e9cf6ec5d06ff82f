public import WeirFlow
public import WeirWire

/// Describes a capture for the head of its file.
public struct CaptureDescription: Hashable, Sendable {
    /// Says what the file looks like.
    public var format = CaptureSettings.Format.pcapng
    /// Names the outermost header of the packets.
    public var linkType: LinkType
    /// Bounds how many bytes of a packet are captured.
    public var snapLength: Int
    /// Says whether times are exact to the nanosecond, not to the microsecond.
    public var isNanoseconds = true
    /// Names the interface.
    public var interface: String?
    /// Holds the filter, in libpcap's language.
    public var filter = ""
    /// Names the program that writes the file.
    public var application = "weir"
    /// Names the system that it runs on.
    public var operatingSystem: String?

    /// Makes the description of a capture with times in nanoseconds.
    public init(linkType: LinkType, snapLength: Int = CaptureSource.largestSnapLength) {
        self.linkType = linkType
        self.snapLength = snapLength
    }

    /// Makes the description of what an open capture gives.
    public init(_ handle: borrowing CaptureHandle, of source: CaptureSource) {
        linkType = handle.linkType
        snapLength = handle.snapLength
        isNanoseconds = handle.isNanoseconds
        interface = source.interface
        filter = source.filter
    }
}
