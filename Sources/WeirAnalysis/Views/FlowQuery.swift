public import WeirDissect
import WeirEngine
public import WeirWire

/// A condition that selects flows: the argument of `--where`.
///
/// ```
/// port 65432 and tcp
/// not (host 10.0.0.0/8 or client port 1024-2047)
/// bytes > 1M and close client_reset
/// ```
public indirect enum FlowQuery: Hashable, Sendable {
    /// The flow has this transport.
    case transport(Transport)
    /// The flow has this version of the Internet Protocol.
    case family(IPAddress.Family)
    /// An address on this side begins with so many bits of this address.
    case host(IPAddress, prefix: Int, Side)
    /// A port on this side is in the range.
    case port(ClosedRange<UInt16>, Side)
    /// The flow ended this way.
    case close(FlowClose)
    /// The flow has this number.
    case number(Int)
    /// The quantity compares with the value as given.
    case compare(Quantity, Comparison, UInt64)
    /// The query does not hold.
    case not(FlowQuery)
    /// Both queries hold.
    case and(FlowQuery, FlowQuery)
    /// At least one of the queries holds.
    case or(FlowQuery, FlowQuery)

    /// A side of a flow; only flows that Weir recorded have a listener and an egress.
    public enum Side: String, Hashable, Sendable, CaseIterable {
        /// Every side.
        case any
        /// The client.
        case client
        /// The server.
        case server
        /// The relay's side of the client's leg.
        case listener
        /// The relay's side of the server's leg.
        case egress
    }

    /// The quantities to compare.
    public enum Quantity: String, Hashable, Sendable, CaseIterable {
        /// The number of packets in both directions.
        case packets
        /// The number of bytes in both directions.
        case bytes
        /// The number of packets from the client.
        case packetsUp = "packets_up"
        /// The number of packets from the server.
        case packetsDown = "packets_down"
        /// The number of bytes from the client.
        case bytesUp = "bytes_up"
        /// The number of bytes from the server.
        case bytesDown = "bytes_down"
        /// The time from the first packet to the last, in ns.
        case duration
    }

    /// The comparison operators.
    public enum Comparison: String, Hashable, Sendable, CaseIterable {
        /// Greater than or equal.
        case atLeast = ">="
        /// Less than or equal.
        case atMost = "<="
        /// Not equal.
        case notEqual = "!="
        /// Equal.
        case equal = "="
        /// Greater than.
        case more = ">"
        /// Less than.
        case less = "<"
    }
}

extension FlowQuery {
    /// Whether the answer is known only after the whole capture was read.
    public var needsWholeFlow: Bool {
        switch self {
        case .close, .compare: true
        case .transport, .family, .host, .port, .number: false
        case .not(let query): query.needsWholeFlow
        case .and(let left, let right), .or(let left, let right): left.needsWholeFlow || right.needsWholeFlow
        }
    }

    /// The number that a flow must have to match, if the query asks for one.
    public var number: Int? {
        switch self {
        case .number(let number): number
        case .and(let left, let right): left.number ?? right.number
        default: nil
        }
    }

    /// Returns whether a flow matches; a flow with two joined legs matches if either of them does.
    public func matches(_ row: FlowRow) -> Bool {
        switch self {
        case .transport(let transport): return row.flow.transport == transport
        case .family(let family): return row.endpoints(.any).contains { $0.address.family == family }
        case .host(let address, let prefix, let side):
            return row.endpoints(side).contains { $0.address.begins(with: address, bits: prefix) }
        case .port(let range, let side): return row.endpoints(side).contains { range.contains($0.port) }
        case .close(let close):
            return row.close == close || row.flow.close == close || row.serverLeg?.flow.close == close
        case .number(let number): return row.number == number
        case .compare(let quantity, let comparison, let value):
            if comparison.holds(quantity.value(of: row.flow), value) { return true }
            return row.serverLeg.map { comparison.holds(quantity.value(of: $0.flow), value) } ?? false
        case .not(let query): return !query.matches(row)
        case .and(let left, let right): return left.matches(row) && right.matches(row)
        case .or(let left, let right): return left.matches(row) || right.matches(row)
        }
    }
}

extension FlowQuery.Quantity {
    fileprivate func value(of flow: ObservedFlow) -> UInt64 {
        switch self {
        case .packets: UInt64(flow.packets)
        case .bytes: UInt64(flow.bytes)
        case .packetsUp: UInt64(flow.packetsUp)
        case .packetsDown: UInt64(flow.packetsDown)
        case .bytesUp: UInt64(flow.bytesUp)
        case .bytesDown: UInt64(flow.bytesDown)
        case .duration: flow.duration ?? 0
        }
    }
}

extension FlowQuery.Comparison {
    fileprivate func holds(_ left: UInt64, _ right: UInt64) -> Bool {
        switch self {
        case .atLeast: left >= right
        case .atMost: left <= right
        case .notEqual: left != right
        case .equal: left == right
        case .more: left > right
        case .less: left < right
        }
    }
}

extension FlowRow {
    /// Returns the endpoints of a side.
    fileprivate func endpoints(_ side: FlowQuery.Side) -> [Endpoint] {
        let ends = [path?.client ?? flow.client, path?.server ?? flow.server]
        switch side {
        case .any: return ends + [path?.listener, path?.egress].compactMap { $0 }
        case .client: return [ends[0]]
        case .server: return [ends[1]]
        case .listener: return [path?.listener].compactMap { $0 }
        case .egress: return [path?.egress].compactMap { $0 }
        }
    }
}

extension IPAddress {
    /// Returns whether the first bits equal those of another address of the same family.
    fileprivate func begins(with other: IPAddress, bits: Int) -> Bool {
        guard family == other.family else { return false }
        if isV4 { return bits == 0 || (low ^ other.low) >> UInt64(32 - bits) == 0 }
        if bits <= 64 { return bits == 0 || (high ^ other.high) >> UInt64(64 - bits) == 0 }
        return high == other.high && (low ^ other.low) >> UInt64(128 - bits) == 0
    }
}
