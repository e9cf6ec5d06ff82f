public import WeirWire

/// Describes a socket of this host, as the kernel lists it.
public struct HostSocket: Hashable, Sendable {
    /// Says what it carries.
    public var transport: Transport
    /// Names this end; the address is unspecified where it takes all.
    public var local: Endpoint
    /// Names the other end; port 0 where there is none.
    public var remote: Endpoint
    /// Says what its connection is doing.
    public var state: State

    /// Lists the states of a TCP connection; a connected UDP socket is `established`, another one `closed`.
    ///
    /// Source: Linux include/net/tcp_states.h.
    public enum State: UInt8, Hashable, Sendable, CaseIterable {
        case established = 1, synSent, synReceived, finWait1, finWait2, timeWait, closed, closeWait, lastAck, listen
        case closing, newSynReceived

        /// Prints the name that ss(8) has for it.
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

    /// Makes a socket from its parts.
    public init(transport: Transport, local: Endpoint, remote: Endpoint, state: State) {
        self.transport = transport
        self.local = local
        self.remote = remote
        self.state = state
    }
}

/// Tells how much of a host's range of ephemeral ports is in use, and how long the rest lasts.
///
/// A port of TCP is used up for a destination alone: the same one can lead to others. Past one half of the range Linux's
/// `connect` looks at every port of its own parity before it takes one of the other: each connection gets slow there.
///
/// Source: Linux net/ipv4/inet_hashtables.c, `__inet_hash_connect`.
public struct HostUsage: Sendable {
    /// Is the range in force.
    public var range: PortRange
    /// Counts the ports of it that are kept free.
    public var reserved: Int
    /// Counts sockets with a port of the range, by transport and state.
    public private(set) var states: [Transport: [HostSocket.State: Int]] = [:]
    /// Counts the different ports of the range that are in use.
    public private(set) var portsInUse: [Transport: Int] = [:]
    /// Lists the destinations, those with the most ports first.
    public private(set) var destinations: [Destination] = []
    /// Holds the ports of TCP in use, for a picture.
    public private(set) var usedPorts: [UInt16] = []

    /// Tells of one destination of TCP.
    public struct Destination: Hashable, Sendable {
        /// Names whom the connections go to.
        public var server: Endpoint
        /// Names the address that they come from.
        public var source: IPAddress
        /// Counts the ports of the range that lead there.
        public var ports: Int
        /// Counts those of them whose connection is over, and which wait.
        public var timeWait: Int
        /// Counts the ports with the parity of the range's first one, which `connect` takes first.
        public var firstParity: Int
        /// Counts the ports that were not there before; nil where nothing is known of before.
        public var new: Int?
        /// Is by how many ports a second it grows; nil where that is not known.
        public var growth: Double?
        /// Is how many new ports a second it takes.
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
    ///   - sockets: all of the host.
    ///   - range: the range in force.
    ///   - reserved: what is kept free of it.
    ///   - before: what was counted earlier, for the rates.
    ///   - seconds: how long ago that was.
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
        // What a listener accepted has the listener's port: it was not chosen here.
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

    /// Counts the ports that can be chosen.
    public var usable: Int { max(1, range.size - reserved) }

    /// Counts the ports after which `connect` gets slow: one half.
    public var cliff: Int { usable / 2 }

    /// Says in how many seconds a destination reaches a number of ports as it grows now; nil where it never does.
    public func seconds(until ports: Int, _ destination: Destination) -> Double? {
        if destination.ports >= ports { return 0 }
        guard let growth = destination.growth, growth > 0 else { return nil }
        return Double(ports - destination.ports) / growth
    }
}
