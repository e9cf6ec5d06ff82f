public import WeirWire

/// A table of flows, numbered in the order of their first packets.
///
/// A packet costs no allocation; a new flow costs its place in an array that doubles. Packets belong to one flow if
/// their five-tuples are equal, or one is the reverse of the other. A SYN whose number differs from the initial one of
/// the flow's side begins a new flow, as in Wireshark 4.0's numbering of streams.
///
/// The number of flows is limited; packets of further flows are counted separately.
public struct FlowTable: ~Copyable, Sendable {
    /// The default maximum number of flows, which take about half a gigabyte.
    public static let defaultLimit = 1 << 22

    private var flows: [ObservedFlow] = []
    private var index: FlowIndex
    private let limit: Int
    private var last = -1
    /// The number of packets of flows for which there was no room.
    public private(set) var packetsLeftOut = 0
    /// The number of their bytes: whole frames with their original lengths.
    public private(set) var bytesLeftOut = 0

    /// The flow of a packet.
    @frozen
    public struct Place: Hashable, Sendable {
        /// The place of the flow in the table, from 0.
        public let index: Int
        /// The direction of the packet.
        public let direction: Direction
        /// Whether the packet is the flow's first.
        public let isNew: Bool
        /// Whether this packet made the flow's client and server swap.
        public let hasTurned: Bool
    }

    /// Creates an empty table.
    ///
    /// - Parameters:
    ///   - limit: The maximum number of flows, up to 2 to the 31.
    ///   - seed: The seed of the table's hash, so that the author of a capture cannot predict the table's order in
    ///     memory.
    /// - Precondition: `limit` is not negative.
    public init(limit: Int = defaultLimit, seed: UInt64 = 0) {
        precondition(limit >= 0, "a limit is not negative")
        self.limit = min(limit, 1 << 31)
        self.index = FlowIndex(seed: seed)
    }

    /// The number of flows.
    public var count: Int { flows.count }

    /// Returns one flow.
    ///
    /// - Precondition: `index` is between 0 and `count - 1`.
    public subscript(index: Int) -> ObservedFlow { flows[index] }

    /// Finds the flow that the next packet with this tuple would belong to; nil if it would be a new one.
    public func find(_ tuple: FiveTuple) -> Int? {
        index.find(index.hash(of: tuple)) { flows[$0].direction(of: tuple) != nil }
    }

    /// Counts a packet, and returns the flow that it belongs to.
    ///
    /// - Parameters:
    ///   - tuple: The packet's transport, source and destination.
    ///   - segment: The fields of a TCP segment; nil for UDP, and if the header was incomplete.
    ///   - length: The whole frame's original length in bytes.
    ///   - payload: The length of a datagram's payload in bytes; a segment has its own.
    ///   - time: The time in nanoseconds since 1970 UTC; nil if it is not known.
    /// - Returns: The flow; nil if there is no room for it.
    public mutating func add(
        _ tuple: FiveTuple,
        _ segment: StreamSegment?,
        length: Int,
        payload: Int = 0,
        at time: Int64?
    ) -> Place? {
        let place = add(tuple, segment, length, time)
        if let place {
            if let segment {
                flows[place.index].countPayload(of: segment, place.direction)
            } else {
                flows[place.index].count(payload: payload, place.direction)
            }
        }
        return place
    }

    @inline(__always)
    private mutating func add(_ tuple: FiveTuple, _ segment: StreamSegment?, _ length: Int, _ time: Int64?) -> Place? {
        // Packets of one flow often follow each other.
        if last >= 0, let direction = flows[last].direction(of: tuple) {
            return count(last, direction, tuple, segment, length, time)
        }
        let hash = index.hash(of: tuple)
        var direction = Direction.upstream
        let found = index.find(hash) { place in
            guard let found = flows[place].direction(of: tuple) else { return false }
            direction = found
            return true
        }
        if let found { return count(found, direction, tuple, segment, length, time) }
        return begin(tuple, segment, length, time) { index, place in index.insert(hash, place) }
    }

    @inline(__always)
    private mutating func count(
        _ place: Int,
        _ direction: Direction,
        _ tuple: FiveTuple,
        _ segment: StreamSegment?,
        _ length: Int,
        _ time: Int64?
    ) -> Place? {
        var (direction, hasTurned) = (direction, false)
        if let segment {
            if flows[place].progress.isEnded(by: segment, from: direction) {
                return begin(tuple, segment, length, time) { index, next in
                    index.replace(index.hash(of: tuple), place, by: next)
                }
            }
            if flows[place].progress.showsClient(segment, from: direction) {
                flows[place].swapSides()
                direction = direction.opposite
                hasTurned = true
            }
            flows[place].progress.count(segment, from: direction)
        }
        last = place
        flows[place].count(length, direction, at: time)
        return Place(index: place, direction: direction, isNew: false, hasTurned: hasTurned)
    }

    @inline(never)
    private mutating func begin(
        _ tuple: FiveTuple,
        _ segment: StreamSegment?,
        _ length: Int,
        _ time: Int64?,
        enter: (inout FlowIndex, Int) -> Void
    ) -> Place? {
        guard flows.count < limit else {
            packetsLeftOut &+= 1
            bytesLeftOut &+= length
            return nil
        }
        let place = flows.count
        var flow = ObservedFlow(tuple)
        var direction = Direction.upstream
        if let segment {
            if flow.progress.showsClient(segment, from: .upstream) {
                flow.swapSides()
                direction = .downstream
            }
            flow.progress.count(segment, from: direction)
        }
        flow.count(length, direction, at: time)
        flows.append(flow)
        enter(&index, place)
        last = place
        return Place(index: place, direction: direction, isNew: true, hasTurned: false)
    }
}
