/// Holds names that addresses had when the capture was made.
///
/// Source: draft-ietf-opsawg-pcapng section 4.5.
public struct CaptureNames: Hashable, Sendable {
    /// Holds one address and its names.
    public enum Record: Hashable, Sendable {
        /// Holds an IP address, without a zone, and its names.
        case address(IPAddress, names: [String])
        /// Holds a record of another type: 3 and 4 are EUI-48 and EUI-64 addresses; its bytes are those of the file.
        case other(type: UInt16, bytes: [UInt8])
    }

    /// Holds the records.
    public var records: [Record]
    /// Names the server that the names came from.
    public var server: String?
    /// Holds the addresses of that server.
    public var serverAddresses: [IPAddress]
    /// Holds the comments.
    public var comments: [String]
    /// Holds options that have no place above.
    public var others: [CaptureOption]

    /// Creates a block of names.
    public init(
        records: [Record],
        server: String? = nil,
        serverAddresses: [IPAddress] = [],
        comments: [String] = [],
        others: [CaptureOption] = []
    ) {
        self.records = records
        self.server = server
        self.serverAddresses = serverAddresses
        self.comments = comments
        self.others = others
    }

    /// Names the record types and option codes of the Name Resolution Block.
    enum Code {
        static let end: UInt16 = 0
        static let ipv4: UInt16 = 1
        static let ipv6: UInt16 = 2
        static let server: UInt16 = 2
        static let serverV4: UInt16 = 3
        static let serverV6: UInt16 = 4
    }
}

/// Holds what an interface counted.
///
/// Source: draft-ietf-opsawg-pcapng section 4.6.
public struct CaptureStatistics: Hashable, Sendable {
    /// Holds the number of the interface in its section.
    public var interface: UInt32
    /// Holds when the counts were taken, in nanoseconds since 1970 UTC.
    public var timestamp: Int64
    /// Holds when capturing began, in nanoseconds since 1970 UTC.
    public var start: Int64?
    /// Holds when capturing ended, in nanoseconds since 1970 UTC.
    public var end: Int64?
    /// Counts packets that came in.
    public var received: UInt64?
    /// Counts packets that the interface dropped for want of room.
    public var droppedByInterface: UInt64?
    /// Counts packets that the filter let through.
    public var accepted: UInt64?
    /// Counts packets that the operating system dropped.
    public var droppedBySystem: UInt64?
    /// Counts packets that reached the program.
    public var delivered: UInt64?
    /// Holds the comments.
    public var comments: [String]
    /// Holds options that have no place above.
    public var others: [CaptureOption]

    /// Creates what an interface counted, all counts not known.
    public init(interface: UInt32, timestamp: Int64) {
        self.interface = interface
        self.timestamp = timestamp
        self.comments = []
        self.others = []
    }

    /// Names the option codes of the Interface Statistics Block.
    enum Code {
        static let start: UInt16 = 2
        static let end: UInt16 = 3
        static let received: UInt16 = 4
        static let droppedByInterface: UInt16 = 5
        static let accepted: UInt16 = 6
        static let droppedBySystem: UInt16 = 7
        static let delivered: UInt16 = 8
    }
}

/// Holds secrets that packets are decrypted with.
///
/// Source: draft-ietf-opsawg-pcapng section 4.7.
public struct CaptureSecrets: Hashable, Sendable {
    /// Names the formats of secrets.
    public struct Format: RawRepresentable, Hashable, Sendable {
        /// Gives the number that stands in a file.
        public let rawValue: UInt32

        /// Creates a format from the number that stands in a file.
        public init(rawValue: UInt32) {
            self.rawValue = rawValue
        }

        /// Holds lines of an SSLKEYLOGFILE.
        public static let tls = Format(rawValue: 0x544c_534b)
        /// Holds lines of SSH keys.
        public static let ssh = Format(rawValue: 0x5353_484b)
        /// Holds lines of WireGuard keys.
        public static let wireGuard = Format(rawValue: 0x5747_4b4c)
    }

    /// Says how the bytes are to be read.
    public var format: Format
    /// Holds the secrets.
    public var bytes: [UInt8]
    /// Holds the comments.
    public var comments: [String]
    /// Holds options that have no place above.
    public var others: [CaptureOption]

    /// Creates a block of secrets.
    public init(format: Format, bytes: [UInt8], comments: [String] = [], others: [CaptureOption] = []) {
        self.format = format
        self.bytes = bytes
        self.comments = comments
        self.others = others
    }
}

/// Holds a block that somebody defined for themselves.
///
/// Source: draft-ietf-opsawg-pcapng section 4.8.
public struct CustomBlock: Hashable, Sendable {
    /// Says whether a program that changes the file may copy the block.
    public var isCopyable: Bool
    /// Holds the Private Enterprise Number of whoever defined it.
    public var enterprise: UInt32
    /// Holds what follows the number, options among it; at the end filled up with zeros to a multiple of 4 bytes.
    public var bytes: [UInt8]

    /// Creates a custom block.
    public init(isCopyable: Bool, enterprise: UInt32, bytes: [UInt8]) {
        self.isCopyable = isCopyable
        self.enterprise = enterprise
        self.bytes = bytes
    }
}
