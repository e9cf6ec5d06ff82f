import WeirEngine
public import WeirWire

/// A finder of port choices in the packets of a capture: each first SYN, and each first datagram from a port.
///
/// A retransmitted SYN is no new choice. A UDP port is one choice, whatever its destinations, until it is silent for
/// two minutes. Ports below 1024, and datagrams between equal ports, are not ephemeral; nor are the answers of a server
/// whose client was seen before.
///
/// In a capture that Weir made, the comment on a flow's first packet tells the side of the relay.
///
/// A choice costs 16 to 40 bytes besides what `PortTable` keeps of it.
public struct PortPackets: Sendable {
    /// The number of SYNs and datagrams from ports below 1024, or between equal ports.
    public private(set) var privileged = 0
    /// The hashes of each connection's tuple and first sequence number; a collision, 1 in 2^64 for a pair, hides one
    /// choice.
    private var connections: Set<Int> = []
    /// The time of the last datagram to or from each sender.
    private var datagrams: [Sender: Int64] = [:]
    private var clock: Int64 = 0
    /// The limit on connections, and on senders, that are remembered.
    private let limit: Int

    private static let silence: Int64 = 120_000_000_000

    private struct Sender: Hashable {
        var address: IPAddress
        var port: UInt16
    }

    /// Creates a finder.
    ///
    /// - Parameter limit: the maximum number of connections, and of UDP senders, that are remembered.
    public init(limit: Int = PortTable.defaultLimit) {
        self.limit = limit
    }

    /// Reads a packet.
    ///
    /// - Parameters:
    ///   - packet: the decoded packet.
    ///   - time: the time in ns since 1970 UTC; nil if it is not known.
    ///   - comments: returns the packet's comments, for a packet with a choice.
    ///   - table: receives the choice.
    public mutating func take(
        _ packet: DecodedPacket,
        at time: Int64?,
        comments: () -> [String],
        into table: inout PortTable
    ) {
        if let time { clock = max(clock, time) }
        if let segment = packet.tcp, segment.flags.intersection([.syn, .ack]) == .syn {
            take(segment, at: time, comments, &table)
        }
        if let datagram = packet.udp, packet.tcp == nil { take(datagram, at: time, comments, &table) }
    }

    private mutating func take(
        _ segment: TCPSegment,
        at time: Int64?,
        _ comments: () -> [String],
        _ table: inout PortTable
    ) {
        guard segment.source.port >= 1024 else {
            privileged += 1
            return
        }
        var hasher = Hasher()
        hasher.combine(segment.source)
        hasher.combine(segment.destination)
        hasher.combine(segment.sequenceNumber)
        let key = hasher.finalize()
        guard connections.count < limit ? connections.insert(key).inserted : !connections.contains(key) else { return }
        add(segment.tuple, at: time, comments, &table)
    }

    private mutating func take(
        _ datagram: UDPDatagram,
        at time: Int64?,
        _ comments: () -> [String],
        _ table: inout PortTable
    ) {
        let (source, destination) = (datagram.source, datagram.destination)
        guard source.port >= 1024, source.port != destination.port else {
            privileged += 1
            return
        }
        let now = time ?? clock
        // An answer goes to a port known as a client's, from one that is not.
        let receiver = Sender(address: destination.address, port: destination.port)
        if let heard = datagrams[receiver], now - heard < Self.silence {
            datagrams[receiver] = now
            if datagrams[Sender(address: source.address, port: source.port)] == nil { return }
        }
        let sender = Sender(address: source.address, port: source.port)
        let heard = datagrams[sender]
        guard heard != nil || datagrams.count < limit else { return }
        datagrams[sender] = now
        if let heard, now - heard < Self.silence { return }
        add(datagram.tuple, at: time, comments, &table)
    }

    private func add(_ tuple: FiveTuple, at time: Int64?, _ comments: () -> [String], _ table: inout PortTable) {
        var side = PortSide.direct
        for comment in comments() {
            guard let path = RecordedPath(comment: comment)?.path else { continue }
            if path.client == tuple.source, path.listener == tuple.destination {
                side = .client
            } else if path.egress == tuple.source, path.server == tuple.destination {
                side = .egress
            }
        }
        table.add(
            PortUse(
                time: time,
                client: tuple.source.address,
                transport: tuple.transport,
                side: side,
                destination: tuple.destination,
                port: tuple.source.port
            )
        )
    }
}
