/// Says where packets come from: an interface, a filter, and how the kernel keeps them.
public struct CaptureSource: Hashable, Sendable {
    /// Gives the most bytes of a packet that libpcap captures.
    public static let largestSnapLength = 262_144

    /// Names the interface; `any` is all of them.
    public var interface: String
    /// Holds the filter, in libpcap's language; an empty one takes every packet.
    ///
    /// Source: pcap-filter(7).
    public var filter: String
    /// Bounds how many bytes of a packet are captured.
    public var snapLength = largestSnapLength
    /// Holds the size of the kernel's buffer in bytes; nil is libpcap's default, 2 MiB.
    public var bufferSize: Int?
    /// Hands on each packet at once, and not with others after at most `batchTime`.
    public var isImmediate = false

    /// Bounds how long the kernel keeps a packet back, to hand on several at once, in milliseconds.
    static let batchTime: Int32 = 50

    /// Makes a source with the defaults.
    public init(interface: String, filter: String = "") {
        self.interface = interface
        self.filter = filter
    }
}
