/// The source of packets: an interface, a filter, and the settings of the kernel's buffer.
public struct CaptureSource: Hashable, Sendable {
    /// The maximum number of bytes that libpcap captures of a packet.
    public static let largestSnapLength = 262_144

    /// The name of the interface; `any` for all interfaces.
    public var interface: String
    /// The filter, in libpcap's language; an empty one accepts every packet.
    ///
    /// Source: pcap-filter(7).
    public var filter: String
    /// The maximum number of bytes captured of a packet.
    public var snapLength = largestSnapLength
    /// The size of the kernel's buffer in bytes; nil for libpcap's default, 2 MiB.
    public var bufferSize: Int?
    /// Whether each packet is delivered at once, and not together with others after at most `batchTime`.
    public var isImmediate = false

    /// The maximum time for which the kernel holds packets back, to deliver several at once, in milliseconds.
    static let batchTime: Int32 = 50

    /// Creates a source with the defaults.
    public init(interface: String, filter: String = "") {
        self.interface = interface
        self.filter = filter
    }
}
