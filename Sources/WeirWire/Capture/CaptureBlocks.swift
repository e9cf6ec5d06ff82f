/// The names that addresses had at the time of the capture (Name Resolution Block).
///
/// Source: draft-ietf-opsawg-pcapng section 4.5.
public struct CaptureNames: Hashable, Sendable {
    /// One address and its names.
    public enum Record: Hashable, Sendable {
        /// An IP address, without a zone, and its names.
        case address(IPAddress, names: [String])
        /// A record of another type, with its bytes as in the file; types 3 and 4 are EUI-48 and EUI-64 addresses.
        case other(type: UInt16, bytes: [UInt8])
    }

    /// The records.
    public var records: [Record]
    /// The name of the DNS server that the names came from.
    public var server: String?
    /// The addresses of that server.
    public var serverAddresses: [IPAddress]
    /// The comments.
    public var comments: [String]
    /// The options that have no property above.
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

    /// The record types and option codes of the Name Resolution Block.
    enum Code {
        static let end: UInt16 = 0
        static let ipv4: UInt16 = 1
        static let ipv6: UInt16 = 2
        static let server: UInt16 = 2
        static let serverV4: UInt16 = 3
        static let serverV6: UInt16 = 4
    }
}

/// The packet counts of an interface (Interface Statistics Block).
///
/// Source: draft-ietf-opsawg-pcapng section 4.6.
public struct CaptureStatistics: Hashable, Sendable {
    /// The number of the interface in its section.
    public var interface: UInt32
    /// The time of the counts, in nanoseconds since 1970 UTC.
    public var timestamp: Int64
    /// The start of the capture, in nanoseconds since 1970 UTC.
    public var start: Int64?
    /// The end of the capture, in nanoseconds since 1970 UTC.
    public var end: Int64?
    /// The number of packets received.
    public var received: UInt64?
    /// The number of packets that the interface dropped for lack of resources.
    public var droppedByInterface: UInt64?
    /// The number of packets that the filter accepted.
    public var accepted: UInt64?
    /// The number of packets that the operating system dropped.
    public var droppedBySystem: UInt64?
    /// The number of packets delivered to the program.
    public var delivered: UInt64?
    /// The comments.
    public var comments: [String]
    /// The options that have no property above.
    public var others: [CaptureOption]

    /// Creates the statistics of an interface, with all counts unknown.
    public init(interface: UInt32, timestamp: Int64) {
        self.interface = interface
        self.timestamp = timestamp
        self.comments = []
        self.others = []
    }

    /// The option codes of the Interface Statistics Block.
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

/// Secrets for decrypting packets (Decryption Secrets Block).
///
/// Source: draft-ietf-opsawg-pcapng section 4.7.
public struct CaptureSecrets: Hashable, Sendable {
    /// The format of secrets.
    public struct Format: RawRepresentable, Hashable, Sendable {
        /// The number in the file.
        public let rawValue: UInt32

        /// Creates a format from the number in the file.
        public init(rawValue: UInt32) {
            self.rawValue = rawValue
        }

        /// TLS: the lines of an SSLKEYLOGFILE.
        public static let tls = Format(rawValue: 0x544c_534b)
        /// SSH: lines of keys.
        public static let ssh = Format(rawValue: 0x5353_484b)
        /// WireGuard: lines of keys.
        public static let wireGuard = Format(rawValue: 0x5747_4b4c)
    }

    /// The format of the bytes.
    public var format: Format
    /// The secrets.
    public var bytes: [UInt8]
    /// The comments.
    public var comments: [String]
    /// The options that have no property above.
    public var others: [CaptureOption]

    /// Creates a block of secrets.
    public init(format: Format, bytes: [UInt8], comments: [String] = [], others: [CaptureOption] = []) {
        self.format = format
        self.bytes = bytes
        self.comments = comments
        self.others = others
    }
}

/// A block of an enterprise's own definition (Custom Block).
///
/// Source: draft-ietf-opsawg-pcapng section 4.8.
public struct CustomBlock: Hashable, Sendable {
    /// Whether a program that changes the file may copy the block.
    public var isCopyable: Bool
    /// The Private Enterprise Number of the block's definer.
    public var enterprise: UInt32
    /// The bytes after the number, options included, padded with zeros to a multiple of 4.
    public var bytes: [UInt8]

    /// Creates a custom block.
    public init(isCopyable: Bool, enterprise: UInt32, bytes: [UInt8]) {
        self.isCopyable = isCopyable
        self.enterprise = enterprise
        self.bytes = bytes
    }
}
