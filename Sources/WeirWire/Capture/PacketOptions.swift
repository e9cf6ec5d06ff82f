/// Holds the link-layer flags of a packet.
///
/// Source: draft-ietf-opsawg-pcapng section 4.3.1.
@frozen
public struct PacketFlags: OptionSet, Hashable, Sendable {
    /// Gives the 32 bits, the least significant one is bit 0.
    public let rawValue: UInt32

    /// Creates flags from the 32 bits.
    @inlinable
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Says that the packet came in.
    public static let inbound = PacketFlags(rawValue: 1)
    /// Says that the packet went out.
    public static let outbound = PacketFlags(rawValue: 2)
    /// Says that the checksum was left to the network card.
    public static let checksumNotReady = PacketFlags(rawValue: 1 << 9)
    /// Says that the checksum was found right.
    public static let checksumValid = PacketFlags(rawValue: 1 << 10)
    /// Says that the packet stands for several TCP segments.
    public static let segmented = PacketFlags(rawValue: 1 << 11)

    /// Gives the direction: 0 not known, 1 in, 2 out.
    @inlinable
    public var direction: UInt32 { rawValue & 3 }

    /// Gives how the packet was addressed: 0 not known, 1 unicast, 2 multicast, 3 broadcast, 4 to another.
    @inlinable
    public var reception: UInt32 { rawValue >> 2 & 7 }

    /// Gives how many octets of frame check sequence close the packet; 0 is not known.
    @inlinable
    public var frameCheckLength: UInt32 { rawValue >> 5 & 15 }

    /// Gives the errors of the link layer, 16 bits.
    @inlinable
    public var linkErrors: UInt32 { rawValue >> 16 }
}

/// Names the process, and its thread, that a packet belongs to.
public struct PacketProcess: Hashable, Sendable {
    /// Holds the process id.
    public var process: UInt32
    /// Holds the thread id.
    public var thread: UInt32

    /// Creates the name of a process and of one of its threads.
    public init(process: UInt32, thread: UInt32) {
        self.process = process
        self.thread = thread
    }
}

/// Holds what a pcapng file says about a packet besides its time and lengths.
///
/// Source: draft-ietf-opsawg-pcapng section 4.3; the process draft-richardson-opsawg-pcapng-extras.
public struct PacketOptions: Hashable, Sendable {
    /// Holds direction, reception and link-layer errors.
    public var flags: PacketFlags?
    /// Holds a number that packets share that are one packet seen at several interfaces.
    public var packetID: UInt64?
    /// Holds how many packets the interface lost between the one before and this one.
    public var dropCount: UInt64?
    /// Holds the queue of the interface that the packet came in on.
    public var queue: UInt32?
    /// Holds the process that the packet belongs to.
    public var process: PacketProcess?
    /// Holds the comments.
    public var comments: [String]
    /// Holds options that have no place above: hashes (3), verdicts (7), custom ones.
    public var others: [CaptureOption]

    /// Creates options; nothing is said where nothing is given.
    public init(
        flags: PacketFlags? = nil,
        packetID: UInt64? = nil,
        dropCount: UInt64? = nil,
        queue: UInt32? = nil,
        process: PacketProcess? = nil,
        comments: [String] = [],
        others: [CaptureOption] = []
    ) {
        self.flags = flags
        self.packetID = packetID
        self.dropCount = dropCount
        self.queue = queue
        self.process = process
        self.comments = comments
        self.others = others
    }

    /// Names the option codes of the Enhanced Packet Block.
    enum Code {
        static let flags: UInt16 = 2
        static let dropCount: UInt16 = 4
        static let packetID: UInt16 = 5
        static let queue: UInt16 = 6
        static let verdict: UInt16 = 7
        static let process: UInt16 = 8
    }
}

/// Holds what a capture file says about one packet, besides its bytes.
public struct PacketMetadata: Hashable, Sendable {
    /// Holds nanoseconds since 1970 UTC; nil for none, which only a Simple Packet Block of pcapng has.
    public var timestamp: Int64?
    /// Holds the number of the interface in its section; 0 in a pcap file.
    public var interface: UInt32
    /// Holds the packet's length on the wire in bytes; nil when all of it was captured.
    public var originalLength: UInt32?
    /// Holds what only pcapng can say.
    public var options: PacketOptions

    /// Creates what is said about a packet.
    public init(
        timestamp: Int64?,
        interface: UInt32 = 0,
        originalLength: UInt32? = nil,
        options: PacketOptions = PacketOptions()
    ) {
        self.timestamp = timestamp
        self.interface = interface
        self.originalLength = originalLength
        self.options = options
    }
}
