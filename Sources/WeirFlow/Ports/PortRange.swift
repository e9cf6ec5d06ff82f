/// Holds the ports that an allocator chooses from.
///
/// Source: RFC 6335 section 6 (49152-65535), Linux ip-sysctl (`ip_local_port_range`).
public struct PortRange: Hashable, Sendable, CustomStringConvertible {
    /// Holds the first port.
    public var low: Int
    /// Holds the last port.
    public var high: Int

    /// Makes a range; bounds outside 0 to 65,535 are brought into it, and swapped where they are the wrong way round.
    public init(_ low: Int, _ high: Int) {
        let (low, high) = (min(max(low, 0), 65_535), min(max(high, 0), 65_535))
        self.low = min(low, high)
        self.high = max(low, high)
    }

    /// Parses `LOW-HIGH`, two ports from 1 to 65535; nil where the text is something else.
    public init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.first?.isNumber ?? false }), let low = UInt16(parts[0]),
            let high = UInt16(parts[1]), low > 0, low <= high
        else {
            return nil
        }
        self.init(Int(low), Int(high))
    }

    /// Counts the ports.
    public var size: Int { high - low + 1 }

    /// Says whether a port is in it.
    public func contains(_ port: Int) -> Bool { port >= low && port <= high }

    /// Says whether all of another range is in it.
    func contains(_ other: PortRange) -> Bool { contains(other.low) && contains(other.high) }

    /// Prints `32768-60999`.
    public var description: String { "\(low)-\(high)" }

    /// Is where Linux's `bind` to port 0 with SO_REUSEADDR looks first: the lower half.
    ///
    /// Source: Linux net/ipv4/inet_connection_sock.c, `inet_csk_find_open_port`.
    var lowerHalf: PortRange { PortRange(low, low + (size >> 2) << 1 - 1) }

    /// A range with its name: one that systems come with, or one that something has set.
    public struct Known: Hashable, Sendable {
        /// Holds the range.
        public var range: PortRange
        /// Says whose it is.
        public var name: String

        /// Makes a range with its name.
        public init(range: PortRange, name: String) {
            self.range = range
            self.name = name
        }
    }

    /// Lists the ranges that systems come with.
    public static let known: [Known] = [
        Known(range: PortRange(32_768, 60_999), name: "Linux since 4.2"),
        Known(range: PortRange(49_152, 65_535), name: "IANA's: macOS, Windows since Vista"),
        Known(range: PortRange(10_000, 65_535), name: "FreeBSD"),
        Known(range: PortRange(1025, 5000), name: "Windows before Vista, old BSD"),
        Known(range: PortRange(1024, 65_535), name: "all above the privileged"),
    ]
}

/// Says how a range came to be known.
public enum PortRangeSource: String, Hashable, Sendable {
    /// Somebody gave it, or the system said so.
    case given
    /// It is the one of the known ranges that the ports fit best.
    case assumed
    /// No known range fits: it is estimated from the ports.
    case estimated
}
