/// A reassembler of IPv4 and IPv6 fragments, in bounded memory.
///
/// Fragments may arrive in any order and more than once. In an overlap, a byte is taken from the fragment that begins
/// first, and among those that begin together from the one that arrived first, as in Wireshark. The first fragment
/// without more fragments decides the datagram's length; bytes past that end are cut. All of this is counted.
///
/// If there is no room for a new fragment, the oldest datagrams are dropped, and counted.
///
/// Source: RFC 791 section 3.2, RFC 8200 section 4.5.
public struct FragmentReassembler: Sendable {
    /// The limits for fragments of incomplete datagrams.
    public struct Limits: Hashable, Sendable {
        /// The maximum number of incomplete datagrams.
        public var datagrams: Int
        /// The maximum number of waiting bytes; each fragment counts 64 bytes more than its content.
        public var bytes: Int

        /// Creates limits.
        public init(datagrams: Int = 1024, bytes: Int = 8 << 20) {
            self.datagrams = datagrams
            self.bytes = bytes
        }
    }

    /// The counters of a reassembler.
    public struct Counters: Hashable, Sendable {
        /// The number of fragments accepted.
        public var fragments = 0
        /// The number of datagrams reassembled.
        public var datagrams = 0
        /// The number of datagrams reassembled from overlapping fragments.
        public var overlapping = 0
        /// The number of those whose fragments differ where they overlap.
        public var conflicting = 0
        /// The number of datagrams with bytes past their end, or with several ends.
        public var overlong = 0
        /// The number of datagrams dropped because there was no room.
        public var evicted = 0
        /// The number of fragments refused because there was no room.
        public var refused = 0
    }

    /// The bytes that a fragment counts in addition to its content.
    static let overhead = 64
    /// The maximum number of fragments of a datagram: with 8 bytes each, they fill the largest datagram.
    static let fragmentsPerDatagram = 8192

    /// The limits.
    public let limits: Limits
    /// The counters so far.
    public private(set) var counters = Counters()
    /// The number of waiting bytes, as counted for the limits.
    public private(set) var waitingBytes = 0

    private var waiting: [FragmentKey: PartialDatagram] = [:]
    /// The keys in the order in which their datagrams began; some are already complete.
    private var order: [(key: FragmentKey, number: UInt64)] = []
    private var first = 0
    private var begun: UInt64 = 0

    /// Creates a reassembler without fragments.
    public init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// The number of incomplete datagrams.
    public var waitingDatagrams: Int { waiting.count }
}

extension FragmentReassembler {
    /// Adds a fragment, and appends its datagram to a buffer if it is now complete.
    ///
    /// - Parameters:
    ///   - fragment: A fragment whose bytes are all there.
    ///   - bytes: The bytes that the fragment's range refers to; they are copied.
    ///   - buffer: Receives a complete datagram, without its IP header.
    /// - Returns: The appended datagram; nil if fragments are still missing.
    public mutating func insert(
        _ fragment: PacketFragment,
        of bytes: RawSpan,
        into buffer: inout ByteBuffer
    ) -> ReassembledDatagram? {
        guard fragment.isWhole, fragment.length > 0, fragment.range.upperBound <= bytes.byteCount else { return nil }
        let cost = fragment.length + Self.overhead
        guard makeRoom(for: cost, keeping: fragment.key) else {
            counters.refused += 1
            return nil
        }
        counters.fragments += 1
        waitingBytes += cost
        let content = bytes.extracting(fragment.range)
        // Removed while it changes, so that its storage is not copied.
        var datagram = waiting.removeValue(forKey: fragment.key) ?? begin(fragment.key)
        datagram.insert(content, at: fragment.offset, hasMore: fragment.hasMore)
        if fragment.offset == 0, datagram.protocol == nil { datagram.protocol = fragment.protocol }
        guard datagram.isWhole else {
            waiting[fragment.key] = datagram
            return nil
        }
        waitingBytes -= datagram.cost
        count(datagram)
        let start = buffer.count
        datagram.append(to: &buffer)
        return ReassembledDatagram(range: start..<buffer.count, protocol: datagram.protocol ?? fragment.protocol)
    }

    /// Discards all incomplete datagrams.
    public mutating func removeAll() {
        waiting.removeAll()
        order.removeAll()
        first = 0
        waitingBytes = 0
    }

    private mutating func begin(_ key: FragmentKey) -> PartialDatagram {
        begun += 1
        // One datagram that is never completed must not keep the places of later ones that are complete.
        if order.count > 2 * waiting.count + 1024 {
            order.removeAll { waiting[$0.key]?.number != $0.number }
            first = 0
        }
        order.append((key, begun))
        return PartialDatagram(number: begun)
    }

    /// Drops the oldest datagrams until there is room.
    private mutating func makeRoom(for cost: Int, keeping key: FragmentKey) -> Bool {
        let own = waiting[key]
        guard cost + (own?.cost ?? 0) <= limits.bytes, limits.datagrams > 0,
            own.map({ $0.fragments < Self.fragmentsPerDatagram }) ?? true
        else { return false }
        var index = first
        while waitingBytes + cost > limits.bytes || (own == nil && waiting.count >= limits.datagrams) {
            guard index < order.count else { return false }
            let (oldest, number) = order[index]
            if waiting[oldest]?.number == number, oldest != key, let datagram = waiting.removeValue(forKey: oldest) {
                waitingBytes -= datagram.cost
                counters.evicted += 1
            }
            index += 1
        }
        // The earlier ones are gone, except the one that is kept.
        while first < order.count, waiting[order[first].key]?.number != order[first].number { first += 1 }
        return true
    }

    private mutating func count(_ datagram: PartialDatagram) {
        counters.datagrams += 1
        if datagram.overlaps { counters.overlapping += 1 }
        if datagram.conflicts { counters.conflicting += 1 }
        if datagram.isOverlong { counters.overlong += 1 }
    }
}

/// The place of a reassembled datagram.
public struct ReassembledDatagram: Hashable, Sendable {
    /// The range of the bytes after the IP header, in the buffer that they were appended to.
    public let range: Range<Int>
    /// The protocol at their beginning.
    public let `protocol`: IPProtocol
}
