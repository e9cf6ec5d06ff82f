/// Describes an interface that packets were captured at.
///
/// Interfaces are numbered from 0 in each section, in the order of their descriptions.
///
/// Source: draft-ietf-opsawg-pcapng section 4.2.
public struct CaptureInterface: Hashable, Sendable {
    /// Names the outermost header of its packets.
    public var linkType: LinkType
    /// Holds the most bytes that are captured of a packet; 0 is no limit.
    public var snapLength: UInt32
    /// Names the interface, as `eth0`.
    public var name: String?
    /// Describes the interface in words.
    public var description: String?
    /// Holds its addresses.
    public var addresses: [Address]
    /// Holds the bits sent in a second.
    public var speed: UInt64?
    /// Says what unit its timestamps have; nil is microseconds.
    public var resolution: TimestampResolution?
    /// Holds the filter: an octet that is 0 for libpcap's text, then the filter.
    public var filter: [UInt8]?
    /// Names the operating system of its machine.
    public var operatingSystem: String?
    /// Holds how many octets of frame check sequence close each packet.
    public var frameCheckLength: UInt8?
    /// Holds seconds that are added to each timestamp; nil is 0.
    public var offsetSeconds: Int64?
    /// Names its hardware.
    public var hardware: String?
    /// Holds the comments.
    public var comments: [String]
    /// Holds options that have no place above, such as the hardware address (6) and the speeds of each direction (16, 17).
    public var others: [CaptureOption]

    /// Creates the description of an interface whose timestamps are in nanoseconds.
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

    /// Holds an address of an interface and the network that it is in.
    public enum Address: Hashable, Sendable {
        /// Holds the 32 bits of an IPv4 address and of its netmask.
        case v4(UInt32, mask: UInt32)
        /// Holds the halves of an IPv6 address and the length of its prefix in bits.
        case v6(high: UInt64, low: UInt64, prefix: UInt8)
    }

    /// Names the option codes of the Interface Description Block.
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

    /// Makes the clock of its packets.
    var clock: CaptureClock { CaptureClock(resolution ?? .microseconds, offsetSeconds: offsetSeconds ?? 0) }
}

extension CaptureInterface {
    /// Gives the filter where it is a text for libpcap.
    public var filterText: String? {
        guard let filter, filter.first == 0 else { return nil }
        return String(decoding: filter.dropFirst().prefix { $0 != 0 }, as: UTF8.self)
    }

    /// Sets the filter to a text for libpcap.
    public mutating func setFilter(_ text: String) {
        filter = [0] + Array(text.utf8)
    }
}
