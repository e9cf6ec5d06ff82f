public import WeirWire

/// Says which flows are wanted: what `--where` takes.
///
/// ```
/// port 65432 and tcp
/// not (host 10.0.0.0/8 or client port 1024-2047)
/// bytes > 1M and close client_reset
/// ```
public indirect enum FlowQuery: Hashable, Sendable {
    /// Wants a transport.
    case transport(Transport)
    /// Wants a version of the Internet Protocol.
    case family(IPAddress.Family)
    /// Wants an address that begins with so many bits of this one, on one side or any.
    case host(IPAddress, prefix: Int, Side)
    /// Wants a port of a range, on one side or any.
    case port(ClosedRange<UInt16>, Side)
    /// Wants a way to end.
    case close(FlowClose)
    /// Wants a number.
    case number(Int)
    /// Compares a quantity with a value.
    case compare(Quantity, Comparison, UInt64)
    /// Wants what the other does not.
    case not(FlowQuery)
    /// Wants what both do.
    case and(FlowQuery, FlowQuery)
    /// Wants what one of them does.
    case or(FlowQuery, FlowQuery)

    /// Names a side of a flow; listener and egress are those of flows that Weir recorded.
    public enum Side: String, Hashable, Sendable, CaseIterable {
        /// Means every side.
        case any
        /// Means the client.
        case client
        /// Means the server.
        case server
        /// Means the relay's side of the client's leg.
        case listener
        /// Means the relay's side of the server's leg.
        case egress
    }

    /// Names what can be compared.
    public enum Quantity: String, Hashable, Sendable, CaseIterable {
        /// Counts packets both ways.
        case packets
        /// Counts bytes both ways.
        case bytes
        /// Counts packets from the client.
        case packetsUp = "packets_up"
        /// Counts packets from the server.
        case packetsDown = "packets_down"
        /// Counts bytes from the client.
        case bytesUp = "bytes_up"
        /// Counts bytes from the server.
        case bytesDown = "bytes_down"
        /// Holds the time from the first packet to the last in nanoseconds.
        case duration
    }

    /// Names the ways to compare.
    public enum Comparison: String, Hashable, Sendable, CaseIterable {
        /// Wants more or as much.
        case atLeast = ">="
        /// Wants less or as much.
        case atMost = "<="
        /// Wants another value.
        case notEqual = "!="
        /// Wants the value.
        case equal = "="
        /// Wants more.
        case more = ">"
        /// Wants less.
        case less = "<"
    }
}

extension FlowQuery {
    /// Says whether the answer is known only when the whole capture was read.
    public var needsWholeFlow: Bool {
        switch self {
        case .close, .compare: true
        case .transport, .family, .host, .port, .number: false
        case .not(let query): query.needsWholeFlow
        case .and(let left, let right), .or(let left, let right): left.needsWholeFlow || right.needsWholeFlow
        }
    }

    /// The number that a flow must have to be wanted, if there is one.
    public var number: Int? {
        switch self {
        case .number(let number): number
        case .and(let left, let right): left.number ?? right.number
        default: nil
        }
    }

    /// Says whether a flow is wanted; one whose legs are joined is if either of them is.
    public func matches(_ row: FlowRow) -> Bool {
        switch self {
        case .transport(let transport): return row.flow.transport == transport
        case .family(let family): return row.endpoints(.any).contains { $0.address.family == family }
        case .host(let address, let prefix, let side):
            return row.endpoints(side).contains { $0.address.begins(with: address, bits: prefix) }
        case .port(let range, let side): return row.endpoints(side).contains { range.contains($0.port) }
        case .close(let close):
            return row.close == close || row.flow.close == close || row.serverLeg?.flow.close == close
        case .number(let number): return row.has(number)
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
    /// Gives the endpoints of a side.
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
    /// Says whether the first bits are those of another address of the same kind.
    fileprivate func begins(with other: IPAddress, bits: Int) -> Bool {
        guard family == other.family else { return false }
        if isV4 { return bits == 0 || (low ^ other.low) >> UInt64(32 - bits) == 0 }
        if bits <= 64 { return bits == 0 || (high ^ other.high) >> UInt64(64 - bits) == 0 }
        return high == other.high && (low ^ other.low) >> UInt64(128 - bits) == 0
    }
}
