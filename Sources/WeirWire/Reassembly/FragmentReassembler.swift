/// Puts the fragments of IPv4 and IPv6 datagrams together, in bounded memory.
///
/// Fragments may come in any order and more than once. Where they overlap, a byte is taken from the fragment that begins
/// first, and of those that begin together from the one that came first: so does Wireshark. A datagram is as long as the
/// first fragment without more behind it says; what reaches past that end is cut. All of this is counted.
///
/// When there is no room for a new fragment, the datagrams that were begun first are given up, and counted.
///
/// Source: RFC 791 section 3.2, RFC 8200 section 4.5.
public struct FragmentReassembler: Sendable {
    /// Says how much may wait for missing fragments.
    public struct Limits: Hashable, Sendable {
        /// Holds how many datagrams may wait.
        public var datagrams: Int
        /// Holds how many bytes may wait; a fragment counts 64 more than it has.
        public var bytes: Int

        /// Creates limits.
        public init(datagrams: Int = 1024, bytes: Int = 8 << 20) {
            self.datagrams = datagrams
            self.bytes = bytes
        }
    }

    /// Counts what happened.
    public struct Counters: Hashable, Sendable {
        /// Counts the fragments that were taken.
        public var fragments = 0
        /// Counts the datagrams that were put together.
        public var datagrams = 0
        /// Counts the datagrams that were put together from fragments that overlap.
        public var overlapping = 0
        /// Counts those of them whose fragments do not hold the same bytes where they overlap.
        public var conflicting = 0
        /// Counts the datagrams with bytes behind their end, or with several ends.
        public var overlong = 0
        /// Counts the datagrams that were given up because there was no room.
        public var evicted = 0
        /// Counts the fragments that there was no room for.
        public var refused = 0
    }

    /// Is what a fragment counts beside its bytes.
    static let overhead = 64
    /// Is how many fragments a datagram may have: that many of 8 bytes fill the largest one.
    static let fragmentsPerDatagram = 8192

    /// Holds the bounds.
    public let limits: Limits
    /// Counts what happened so far.
    public private(set) var counters = Counters()
    /// Gives how many bytes wait, by the measure of the limits.
    public private(set) var waitingBytes = 0

    private var waiting: [FragmentKey: PartialDatagram] = [:]
    /// The keys in the order in which their datagrams were begun; some are done already.
    private var order: [(key: FragmentKey, number: UInt64)] = []
    private var first = 0
    private var begun: UInt64 = 0

    /// Creates a reassembler for which nothing waits.
    public init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// Gives how many datagrams wait for fragments.
    public var waitingDatagrams: Int { waiting.count }
}

extension FragmentReassembler {
    /// Takes a fragment, and appends its datagram to a buffer if that is whole now.
    ///
    /// - Parameters:
    ///   - fragment: A fragment all of whose bytes are there.
    ///   - bytes: The bytes that the fragment's range is of; they are copied.
    ///   - buffer: Where a datagram is put that is whole: what follows the IP header.
    /// - Returns: What was appended; nil where fragments are missing still.
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
        // Taken out while it changes, so that its storage is not copied.
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

    /// Forgets everything that waits.
    public mutating func removeAll() {
        waiting.removeAll()
        order.removeAll()
        first = 0
        waitingBytes = 0
    }

    private mutating func begin(_ key: FragmentKey) -> PartialDatagram {
        begun += 1
        // One datagram that waits for ever must not keep the places of those that came after it and are done.
        if order.count > 2 * waiting.count + 1024 {
            order.removeAll { waiting[$0.key]?.number != $0.number }
            first = 0
        }
        order.append((key, begun))
        return PartialDatagram(number: begun)
    }

    /// Gives up the oldest datagrams until there is room.
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
        // Those before are gone, but for the one that is kept.
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

/// Says where a datagram is that was put together.
public struct ReassembledDatagram: Hashable, Sendable {
    /// Gives the bytes of what followed the IP header, in the buffer that they were appended to.
    public let range: Range<Int>
    /// Names what they begin with.
    public let `protocol`: IPProtocol
}
