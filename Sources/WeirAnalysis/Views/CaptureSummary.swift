public import WeirDissect
public import WeirWire

/// A summary of a capture: counts, times, protocols, the hosts with the most bytes, and the damage.
public struct CaptureSummary: Sendable {
    /// The number of packets and of their bytes, with original lengths.
    public struct Count: Hashable, Sendable {
        /// The number of packets.
        public internal(set) var packets = 0
        /// The number of bytes.
        public internal(set) var bytes = 0

        mutating func add(_ length: Int) {
            packets &+= 1
            bytes &+= length
        }

        static func + (left: Count, right: Count) -> Count {
            Count(packets: left.packets &+ right.packets, bytes: left.bytes &+ right.bytes)
        }
    }

    /// The counts of all packets.
    public private(set) var total = Count()
    /// The number of their bytes that were captured.
    public private(set) var capturedBytes = 0
    /// The number of packets of which not all bytes were captured.
    public private(set) var cutPackets = 0
    /// The number of packets whose time is before that of the previous packet.
    public private(set) var backwards = 0
    /// The number of packets without a time.
    public private(set) var timeless = 0
    /// The earliest time, in ns since 1970 UTC.
    public private(set) var earliest: Int64?
    /// The latest time, in ns since 1970 UTC.
    public private(set) var latest: Int64?
    /// The link types, in the order of their first packets.
    public private(set) var linkTypes: [LinkType] = []
    /// The names of the programs that wrote the capture.
    public private(set) var applications: [String] = []
    /// The number of packets dropped in earlier sections, and the latest such number of each interface of this section.
    private var droppedBefore: UInt64 = 0
    private var droppedNow: [UInt32: UInt64] = [:]
    private var last: Int64?
    private var kinds: [Count]
    private var stops: [String: Count] = [:]
    private var hosts: [IPAddress: Count] = [:]

    /// Creates the summary of no packet.
    public init() {
        kinds = Array(repeating: Count(), count: 1 + Int(LayerKind.allCases.map(\.rawValue).max() ?? 0))
    }

    /// Adds a packet.
    public mutating func add(_ captured: CapturedPacket, _ flows: borrowing CaptureFlows) {
        let length = captured.originalLength
        total.add(length)
        capturedBytes &+= captured.capturedLength
        if captured.capturedLength < length { cutPackets &+= 1 }
        addTime(captured.timestamp)
        if linkTypes.last != captured.linkType, !linkTypes.contains(captured.linkType) {
            linkTypes.append(captured.linkType)
        }
        var counted: UInt64 = 0
        for index in 0..<flows.packet.layers.count {
            let kind = Int(flows.packet.layers[index].kind.rawValue)
            // A packet counts once for each protocol in it; there are fewer than 64 protocols.
            guard counted >> UInt64(kind) & 1 == 0 else { continue }
            counted |= 1 << UInt64(kind)
            kinds[kind].add(length)
        }
        if let stop = flows.packet.stop { stops[Self.name(of: stop), default: Count()].add(length) }
        if flows.tcp == nil, flows.udp == nil, let addresses = flows.packet.network {
            add(length, of: addresses.source)
            if addresses.destination != addresses.source { add(length, of: addresses.destination) }
        }
    }

    /// Adds what the file says about itself.
    public mutating func add(_ block: CaptureBlock) {
        switch block {
        case .section(let section):
            droppedBefore = dropped
            droppedNow = [:]
            if let application = section.application, !applications.contains(application) {
                applications.append(application)
            }
        case .statistics(let statistics):
            let both = (statistics.droppedByInterface ?? 0) &+ (statistics.droppedBySystem ?? 0)
            droppedNow[statistics.interface] = both
        case .pcapHeader, .interface, .names, .secrets, .custom: break
        }
    }

    private mutating func add(_ length: Int, of host: IPAddress) {
        guard hosts.count < Self.mostHosts || hosts[host] != nil else { return }
        hosts[host, default: Count()].add(length)
    }

    /// The maximum number of addresses outside of flows that are counted.
    private static let mostHosts = 1 << 20

    private mutating func addTime(_ time: Int64?) {
        guard let time else {
            timeless &+= 1
            return
        }
        earliest = min(earliest ?? time, time)
        latest = max(latest ?? time, time)
        if let last, time < last { backwards &+= 1 }
        last = time
    }

    private static func name(of stop: DecodeError) -> String {
        switch stop {
        case .truncated: "cut short"
        case .malformed(let field, _): "wrong \(field.rawValue)"
        case .unsupported(let number, _): "\(number), not decoded"
        }
    }
}

extension CaptureSummary {
    /// The number of packets that the interfaces, or the system, dropped, as the capture says.
    public var dropped: UInt64 { droppedNow.values.reduce(droppedBefore, &+) }

    /// The time from the earliest packet to the latest, in ns.
    public var duration: UInt64? {
        guard let earliest, let latest else { return nil }
        return UInt64(bitPattern: latest &- earliest)
    }

    /// The number of packets with each protocol found, in the order of the layers' names.
    public var protocols: [(kind: LayerKind, count: Count)] {
        LayerKind.allCases.map { ($0, kinds[Int($0.rawValue)]) }.filter { $0.1.packets > 0 }
    }

    /// The reasons why packets were not decoded to their end, the most frequent one first.
    public var reasons: [(name: String, count: Count)] {
        stops.map { ($0.key, $0.value) }
            .sorted { ($1.1.packets, $0.0) < ($0.1.packets, $1.0) }
    }

    /// Returns the addresses that sent or received the most bytes.
    ///
    /// Complexity: O(n log n) in the number of flows.
    public func talkers(_ table: borrowing FlowTable, most: Int) -> [(address: IPAddress, count: Count)] {
        var sums = hosts
        for place in 0..<table.count {
            let flow = table[place]
            let count = Count(packets: flow.packets, bytes: flow.bytes)
            sums[flow.client.address, default: Count()] = sums[flow.client.address, default: Count()] + count
            guard flow.server.address != flow.client.address else { continue }
            sums[flow.server.address, default: Count()] = sums[flow.server.address, default: Count()] + count
        }
        let sorted = sums.sorted { left, right in
            left.value.bytes == right.value.bytes ? left.key < right.key : left.value.bytes > right.value.bytes
        }
        return sorted.prefix(most).map { ($0.key, $0.value) }
    }
}
