/// An interface at which packets were captured (Interface Description Block).
///
/// Interfaces are numbered from 0 in each section, in the order of their descriptions.
///
/// Source: draft-ietf-opsawg-pcapng section 4.2.
public struct CaptureInterface: Hashable, Sendable {
    /// The link type of its packets: their outermost header.
    public var linkType: LinkType
    /// The maximum number of bytes captured of a packet; 0 for no limit.
    public var snapLength: UInt32
    /// The name of the interface, such as `eth0`.
    public var name: String?
    /// The description of the interface.
    public var description: String?
    /// The addresses of the interface.
    public var addresses: [Address]
    /// The speed in bits a second.
    public var speed: UInt64?
    /// The resolution of its timestamps; nil for microseconds.
    public var resolution: TimestampResolution?
    /// The capture filter: one octet for its kind, 0 for libpcap's text, then the filter.
    public var filter: [UInt8]?
    /// The operating system of its machine.
    public var operatingSystem: String?
    /// The length of the frame check sequence at the end of each packet, in octets.
    public var frameCheckLength: UInt8?
    /// The seconds to add to each timestamp; nil for 0.
    public var offsetSeconds: Int64?
    /// The hardware of the interface.
    public var hardware: String?
    /// The comments.
    public var comments: [String]
    /// The options without a property above, such as the hardware address (6) and each direction's speed (16, 17).
    public var others: [CaptureOption]

    /// Creates the description of an interface with timestamps in nanoseconds.
    public init(linkType: LinkType, snapLength: UInt32 = 0, name: String? = nil, description: String? = nil) {
        self.init(bare: linkType, snapLength: snapLength)
        self.name = name
        self.description = description
        self.resolution = .nanoseconds
    }

    init(bare linkType: LinkType, snapLength: UInt32) {
        self.linkType = linkType
        self.snapLength = snapLength
        self.addresses = []
        self.comments = []
        self.others = []
    }

    /// An address of an interface, with its network.
    public enum Address: Hashable, Sendable {
        /// The 32 bits of an IPv4 address and of its netmask.
        case v4(UInt32, mask: UInt32)
        /// The halves of an IPv6 address, and the length of its prefix in bits.
        case v6(high: UInt64, low: UInt64, prefix: UInt8)
    }

    /// The option codes of the Interface Description Block.
    enum Code {
        static let name: UInt16 = 2
        static let description: UInt16 = 3
        static let ipv4: UInt16 = 4
        static let ipv6: UInt16 = 5
        static let speed: UInt16 = 8
        static let resolution: UInt16 = 9
        static let filter: UInt16 = 11
        static let operatingSystem: UInt16 = 12
        static let frameCheckLength: UInt16 = 13
        static let offsetSeconds: UInt16 = 14
        static let hardware: UInt16 = 15
    }

    /// The clock of its packets.
    var clock: CaptureClock { CaptureClock(resolution ?? .microseconds, offsetSeconds: offsetSeconds ?? 0) }
}

extension CaptureInterface {
    /// The filter if it is a text for libpcap; otherwise nil.
    public var filterText: String? {
        guard let filter, filter.first == 0 else { return nil }
        return String(decoding: filter.dropFirst().prefix { $0 != 0 }, as: UTF8.self)
    }

    /// Sets the filter to a text for libpcap.
    public mutating func setFilter(_ text: String) {
        filter = [0] + Array(text.utf8)
    }
}
