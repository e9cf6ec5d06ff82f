/// The range of ports from which an allocator chooses.
///
/// Source: RFC 6335 section 6 (49152-65535), Linux ip-sysctl (`ip_local_port_range`).
public struct PortRange: Hashable, Sendable, CustomStringConvertible {
    /// The first port.
    public var low: Int
    /// The last port.
    public var high: Int

    /// Creates a range; bounds are clamped to 0...65535, and swapped if they are in the wrong order.
    public init(_ low: Int, _ high: Int) {
        let (low, high) = (min(max(low, 0), 65_535), min(max(high, 0), 65_535))
        self.low = min(low, high)
        self.high = max(low, high)
    }

    /// Parses `LOW-HIGH`, two ports from 1 to 65535; nil for any other text.
    public init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.first?.isNumber ?? false }), let low = UInt16(parts[0]),
            let high = UInt16(parts[1]), low > 0, low <= high
        else {
            return nil
        }
        self.init(Int(low), Int(high))
    }

    /// The number of ports.
    public var size: Int { high - low + 1 }

    /// Returns whether a port is in the range.
    public func contains(_ port: Int) -> Bool { port >= low && port <= high }

    /// Returns whether another range is entirely in this one.
    package func contains(_ other: PortRange) -> Bool { contains(other.low) && contains(other.high) }

    /// The range in the form `32768-60999`.
    public var description: String { "\(low)-\(high)" }

    /// The lower half of the range, in which Linux's `bind` to port 0 with SO_REUSEADDR searches first.
    ///
    /// Source: Linux net/ipv4/inet_connection_sock.c, `inet_csk_find_open_port`.
    package var lowerHalf: PortRange { PortRange(low, low + (size >> 2) << 1 - 1) }

    /// A range with its name: one that systems come with, or one that something has set.
    public struct Known: Hashable, Sendable {
        /// The range.
        public var range: PortRange
        /// The system that has this range, or the setting that set it.
        public var name: String

        /// Creates a range with its name.
        public init(range: PortRange, name: String) {
            self.range = range
            self.name = name
        }
    }

    /// The default ranges of systems.
    public static let known: [Known] = [
        Known(range: PortRange(32_768, 60_999), name: "Linux since 4.2"),
        Known(range: PortRange(49_152, 65_535), name: "IANA's: macOS, Windows since Vista"),
        Known(range: PortRange(10_000, 65_535), name: "FreeBSD"),
        Known(range: PortRange(1025, 5000), name: "Windows before Vista, old BSD"),
        Known(range: PortRange(1024, 65_535), name: "all above the privileged"),
    ]
}

/// The way in which a range became known.
public enum PortRangeSource: String, Hashable, Sendable {
    /// A user gave it, or the system reported it.
    case given
    /// It is the known range that the ports fit best.
    case assumed
    /// No known range fits: it is estimated from the ports.
    case estimated
}
