/// The link-layer flags of a packet.
///
/// Source: draft-ietf-opsawg-pcapng section 4.3.1.
@frozen
public struct PacketFlags: OptionSet, Hashable, Sendable {
    /// The 32 bits; the least significant one is bit 0.
    public let rawValue: UInt32

    /// Creates flags from the 32 bits.
    @inlinable
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// The packet was received.
    public static let inbound = PacketFlags(rawValue: 1)
    /// The packet was sent.
    public static let outbound = PacketFlags(rawValue: 2)
    /// The checksum was left to the network card.
    public static let checksumNotReady = PacketFlags(rawValue: 1 << 9)
    /// The checksum was verified.
    public static let checksumValid = PacketFlags(rawValue: 1 << 10)
    /// The packet stands for several TCP segments (segmentation offload).
    public static let segmented = PacketFlags(rawValue: 1 << 11)

    /// The direction: 0 not known, 1 in, 2 out.
    @inlinable
    public var direction: UInt32 { rawValue & 3 }

    /// The kind of reception: 0 not known, 1 unicast, 2 multicast, 3 broadcast, 4 addressed to another host.
    @inlinable
    public var reception: UInt32 { rawValue >> 2 & 7 }

    /// The length of the frame check sequence at the packet's end, in octets; 0 if not known.
    @inlinable
    public var frameCheckLength: UInt32 { rawValue >> 5 & 15 }

    /// The errors of the link layer, 16 bits.
    @inlinable
    public var linkErrors: UInt32 { rawValue >> 16 }
}

/// The process and the thread that sent a packet.
///
/// The option `epb_processid_threadid` has both as numbers of 32 bits, in the byte order of the section.
///
/// Source: draft-ietf-opsawg-pcapng section 4.3.
public struct PacketProcess: Hashable, Sendable {
    /// The process id; 0 if it is not known.
    public var process: UInt32
    /// The thread id; 0 if it is not known.
    public var thread: UInt32

    /// Creates the identity of a process and one of its threads.
    public init(process: UInt32, thread: UInt32) {
        self.process = process
        self.thread = thread
    }

    /// Creates the identity of a process of which any thread may have sent the packet.
    public init(_ process: Int32) { self.init(process: UInt32(bitPattern: process), thread: 0) }
}

/// The properties of a packet that only pcapng records, without time and lengths.
///
/// Source: draft-ietf-opsawg-pcapng section 4.3; the process draft-richardson-opsawg-pcapng-extras.
public struct PacketOptions: Hashable, Sendable {
    /// The direction, the reception and the errors of the link layer.
    public var flags: PacketFlags?
    /// The number that identifies one packet captured at several interfaces.
    public var packetID: UInt64?
    /// The number of packets that the interface lost between the one before and this one.
    public var dropCount: UInt64?
    /// The queue of the interface that the packet was received on.
    public var queue: UInt32?
    /// The process that sent the packet.
    public var process: PacketProcess?
    /// The comments.
    public var comments: [String]
    /// The options that have no property above: hashes (3), verdicts (7), custom ones.
    public var others: [CaptureOption]

    /// Creates options from those that are known.
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

    /// The option codes of the Enhanced Packet Block.
    enum Code {
        static let flags: UInt16 = 2
        static let dropCount: UInt16 = 4
        static let packetID: UInt16 = 5
        static let queue: UInt16 = 6
        static let verdict: UInt16 = 7
        static let process: UInt16 = 8
    }
}

/// The properties of one packet in a capture file, without its bytes.
public struct PacketMetadata: Hashable, Sendable {
    /// The time in nanoseconds since 1970 UTC; nil only for a Simple Packet Block of pcapng, which has none.
    public var timestamp: Int64?
    /// The number of the interface in its section; 0 in a pcap file.
    public var interface: UInt32
    /// The packet's length on the wire in bytes; nil if all of it was captured.
    public var originalLength: UInt32?
    /// The properties that only pcapng records.
    public var options: PacketOptions

    /// Creates the properties of a packet.
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
