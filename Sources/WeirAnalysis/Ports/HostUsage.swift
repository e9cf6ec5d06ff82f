public import WeirEngine
public import WeirWire

/// A socket of this host, as the kernel lists it.
public struct HostSocket: Hashable, Sendable {
    /// The transport of the socket.
    public var transport: Transport
    /// The local endpoint; the address is unspecified if the socket accepts all.
    public var local: Endpoint
    /// The remote endpoint; port 0 if there is none.
    public var remote: Endpoint
    /// The state of the connection.
    public var state: State

    /// The states of a TCP connection; a connected UDP socket is `established`, an unconnected one `closed`.
    ///
    /// Source: Linux include/net/tcp_states.h.
    public enum State: UInt8, Hashable, Sendable, CaseIterable {
        case established = 1, synSent, synReceived, finWait1, finWait2, timeWait, closed, closeWait, lastAck, listen
        case closing, newSynReceived

        /// The name in ss(8).
        public var name: String {
            switch self {
            case .established: "ESTAB"
            case .synSent: "SYN-SENT"
            case .synReceived, .newSynReceived: "SYN-RECV"
            case .finWait1: "FIN-WAIT-1"
            case .finWait2: "FIN-WAIT-2"
            case .timeWait: "TIME-WAIT"
            case .closed: "UNCONN"
            case .closeWait: "CLOSE-WAIT"
            case .lastAck: "LAST-ACK"
            case .listen: "LISTEN"
            case .closing: "CLOSING"
            }
        }
    }

    /// Creates a socket from its parts.
    public init(transport: Transport, local: Endpoint, remote: Endpoint, state: State) {
        self.transport = transport
        self.local = local
        self.remote = remote
        self.state = state
    }
}

/// The use of a host's range of ephemeral ports: how full it is, and how long the rest lasts.
///
/// A TCP port is used up only for one destination: the same port can lead to others. After half of the range is used,
/// Linux's `connect` tries every port of its own parity before it takes one of the other: from there on each connection
/// is slow.
///
/// Source: Linux net/ipv4/inet_hashtables.c, `__inet_hash_connect`.
public struct HostUsage: Sendable {
    /// The range in force.
    public var range: PortRange
    /// The number of its ports that are reserved.
    public var reserved: Int
    /// The number of sockets with a port in the range, by transport and state.
    public private(set) var states: [Transport: [HostSocket.State: Int]] = [:]
    /// The number of different ports of the range in use, by transport.
    public private(set) var portsInUse: [Transport: Int] = [:]
    /// The destinations, those with the most ports first.
    public private(set) var destinations: [Destination] = []
    /// The TCP ports in use, in rising order, for a picture.
    public private(set) var usedPorts: [UInt16] = []

    /// The use of the range by connections to one TCP destination.
    public struct Destination: Hashable, Sendable {
        /// The endpoint to which the connections go.
        public var server: Endpoint
        /// The address from which they come.
        public var source: IPAddress
        /// The number of ports of the range that lead there.
        public var ports: Int
        /// The number of those ports whose connections are over, and in TIME-WAIT.
        public var timeWait: Int
        /// The number of ports with the parity of the range's first one, which `connect` takes first.
        public var firstParity: Int
        /// The number of ports since the earlier count; nil if there was none.
        public var new: Int?
        /// The growth in ports per second; nil if it is not known.
        public var growth: Double?
        /// The number of new ports per second; nil if it is not known.
        public var rate: Double?
    }

    private var connections: Set<Connection> = []

    private struct Connection: Hashable {
        var source: IPAddress
        var server: Endpoint
        var port: UInt16
    }

    private struct Way: Hashable {
        var source: IPAddress
        var server: Endpoint
    }

    /// Counts sockets.
    ///
    /// - Parameters:
    ///   - sockets: all sockets of the host.
    ///   - range: the range in force.
    ///   - reserved: the reserved ports.
    ///   - before: an earlier count, for the rates.
    ///   - seconds: the time since that count.
    public init(
        _ sockets: [HostSocket],
        range: PortRange,
        reserved: [PortRange] = [],
        before: HostUsage? = nil,
        seconds: Double = 0
    ) {
        self.range = range
        self.reserved = (range.low...range.high).count { port in reserved.contains { $0.contains(port) } }
        var used: [Transport: Set<UInt16>] = [:]
        var ways: [Way: Destination] = [:]
        // A connection that a listener accepted has the listener's port: it was not chosen here.
        let listening = Set(sockets.filter { $0.state == .listen }.map(\.local.port))
        for socket in sockets where range.contains(Int(socket.local.port)) {
            states[socket.transport, default: [:]][socket.state, default: 0] += 1
            used[socket.transport, default: []].insert(socket.local.port)
            guard socket.transport == .tcp, socket.state != .listen, socket.remote.port != 0,
                !listening.contains(socket.local.port)
            else { continue }
            let connection = Connection(source: socket.local.address, server: socket.remote, port: socket.local.port)
            guard connections.insert(connection).inserted else { continue }
            let way = Way(source: socket.local.address, server: socket.remote)
            var destination =
                ways[way]
                ?? Destination(
                    server: socket.remote,
                    source: socket.local.address,
                    ports: 0,
                    timeWait: 0,
                    firstParity: 0
                )
            destination.ports += 1
            if socket.state == .timeWait { destination.timeWait += 1 }
            if Int(socket.local.port) & 1 == range.low & 1 { destination.firstParity += 1 }
            ways[way] = destination
        }
        portsInUse = used.mapValues(\.count)
        usedPorts = (used[.tcp] ?? []).sorted()
        if let before, seconds > 0 { addRates(&ways, before, seconds) }
        destinations = ways.values.sorted {
            ($1.ports, $0.server, $0.source) < ($0.ports, $1.server, $1.source)
        }
    }

    private func addRates(_ ways: inout [Way: Destination], _ before: HostUsage, _ seconds: Double) {
        var new: [Way: Int] = [:]
        for connection in connections where !before.connections.contains(connection) {
            new[Way(source: connection.source, server: connection.server), default: 0] += 1
        }
        var counts: [Way: Int] = [:]
        for connection in before.connections {
            counts[Way(source: connection.source, server: connection.server), default: 0] += 1
        }
        for way in Array(ways.keys) {
            guard var destination = ways[way] else { continue }
            let added = new[way] ?? 0
            destination.new = added
            destination.rate = Double(added) / seconds
            destination.growth = Double(destination.ports - (counts[way] ?? 0)) / seconds
            ways[way] = destination
        }
    }

    /// The number of ports that can be chosen.
    public var usable: Int { max(1, range.size - reserved) }

    /// The number of ports after which `connect` gets slow: one half.
    public var cliff: Int { usable / 2 }

    /// Returns in how many seconds a destination reaches a number of ports at its present growth; nil for never.
    public func seconds(until ports: Int, _ destination: Destination) -> Double? {
        if destination.ports >= ports { return 0 }
        guard let growth = destination.growth, growth > 0 else { return nil }
        return Double(ports - destination.ports) / growth
    }
}
