import CWeir
import Glibc
import WeirEngine
import WeirWire

/// The ways of the program's datagrams: each socket and each destination has a receiver of its own on the loopback.
struct DatagramPairs {
    /// A receiver to which a socket's datagrams for one destination are sent, in place of the destination.
    final class Pair {
        let cookie: UInt64
        let destination: Destination
        /// The receiver's endpoint.
        let receiver: Endpoint
        /// The receiver, which the relay reads.
        let held: HeldDescriptor
        /// The address from which the destination is reached.
        let local: IPAddress
        let created: Instant
        /// The program's socket and thread that used it last.
        var number: Int32
        var thread: Int32
        /// The program's end; nil until its first datagram.
        fileprivate(set) var client: Endpoint?
        var isConnected = false

        init(
            _ cookie: UInt64,
            _ destination: Destination,
            _ receiver: Endpoint,
            _ held: HeldDescriptor,
            local: IPAddress,
            number: Int32,
            thread: Int32
        ) {
            (self.cookie, self.destination, self.receiver, self.held) = (cookie, destination, receiver, held)
            (self.local, self.number, self.thread) = (local, number, thread)
            created = SystemClock.instant()
        }
    }

    private struct Key: Hashable {
        var cookie: UInt64
        var endpoint: Endpoint
    }

    /// The ends of a flow, by which the relay tells of a pair.
    private struct Ends: Hashable {
        var port: UInt16
        var asked: Endpoint
    }

    private static let interval = Duration.seconds(2)
    private static let mostHeard = 1 << 16

    private var pairs: [Key: Pair] = [:]
    private var byEnds: [Ends: Pair] = [:]
    /// The destination of each receiver.
    private var asked: [Endpoint: Endpoint] = [:]
    /// The sources from which a socket heard: what it sends there is an answer.
    private var heard: Set<Key> = []
    private var swept = SystemClock.instant()

    var isEmpty: Bool { pairs.isEmpty }

    subscript(cookie: UInt64, endpoint: Endpoint) -> Pair? { pairs[Key(cookie: cookie, endpoint: endpoint)] }

    mutating func add(_ pair: Pair) {
        pairs[Key(cookie: pair.cookie, endpoint: pair.destination.asked)] = pair
        // What is sent to 0.0.0.0 or :: is answered from the loopback.
        let asked = pair.destination.asked
        self.asked[pair.receiver] = Endpoint(address: DestinationFilter.reached(asked.address), port: asked.port)
    }

    /// Returns the destination for which a receiver stands; nil for any other source.
    func asked(of source: Endpoint) -> Endpoint? { asked[source] }

    mutating func hear(_ cookie: UInt64, from source: Endpoint) {
        if heard.count >= Self.mostHeard, let any = heard.first { heard.remove(any) }
        heard.insert(Key(cookie: cookie, endpoint: source))
    }

    func hasHeard(_ cookie: UInt64, from source: Endpoint) -> Bool {
        !heard.isEmpty && heard.contains(Key(cookie: cookie, endpoint: source))
    }

    /// Notes the program's end of a pair.
    mutating func set(_ client: Endpoint, of pair: Pair) {
        forgetEnds(of: pair)
        pair.client = client
        byEnds[Ends(port: client.port, asked: pair.destination.asked)] = pair
    }

    private mutating func forgetEnds(of pair: Pair) {
        guard let client = pair.client else { return }
        let ends = Ends(port: client.port, asked: pair.destination.asked)
        if byEnds[ends] === pair { byEnds[ends] = nil }
    }

    private func find(_ client: Endpoint, _ asked: Endpoint) -> Pair? {
        byEnds[Ends(port: client.port, asked: asked)]
    }

    /// Tells a program's connected socket that nobody listens at its destination, as the kernel does: with an ICMP message.
    ///
    /// The receiver is connected to another port for a moment, so that a datagram of the program's own socket meets nobody.
    func refused(_ client: Endpoint, _ asked: Endpoint, _ server: CallServer) {
        guard let pair = find(client, asked), pair.isConnected, let client = pair.client,
            let socket = try? server.threads.descriptor(pair.number, of: pair.thread),
            weir_cookie(socket.raw) == pair.cookie
        else { return }
        // An error that the program has not taken yet would be the answer to this datagram, and be lost.
        var waited = pollfd(fd: socket.raw, events: 0, revents: 0)
        guard poll(&waited, 1, 0) == 0 || Int32(waited.revents) & POLLERR == 0 else { return }
        let elsewhere = Endpoint(address: pair.receiver.address, port: 9)
        _ = Socket.connect(pair.held.raw, to: elsewhere)
        // Named, as the program may have connected its socket to another destination meanwhile.
        var storage = sockaddr_storage()
        let isV6 = Socket.get(SO_DOMAIN, of: SOL_SOCKET, on: socket.raw) == Int(AF_INET6)
        let length = SocketAddress.write(isV6 ? pair.receiver.mapped : pair.receiver, to: &storage)
        withUnsafeMutableBytes(of: &storage) { storage in
            var message = weir_message()
            (message.peer, message.peer_length) = (storage.baseAddress, length)
            _ = weir_message_send(socket.raw, &message, 0)
        }
        // Not disconnected: that would free the port.
        _ = Socket.connect(pair.held.raw, to: client)
    }

    /// Looks at once whether a socket still exists whose flow has ended.
    mutating func flowClosed(_ client: Endpoint, _ asked: Endpoint) {
        if find(client, asked) != nil { swept = Instant(nanoseconds: 0) }
    }

    /// Removes the receivers of sockets that no longer exist, and have nothing on the way.
    mutating func sweep(_ server: CallServer, at now: Instant) {
        guard !pairs.isEmpty, swept.duration(to: now) >= Self.interval else { return }
        swept = now
        guard let living = LivingSockets.cookies([.udp]) else { return }
        for (key, pair) in pairs where !living.contains(key.cookie) && weir_unread(pair.held.raw) <= 0 {
            guard pair.created.duration(to: now) >= .seconds(1) else { continue }
            pairs[key] = nil
            asked[pair.receiver] = nil
            forgetEnds(of: pair)
            server.relay.unlisten(datagramsAt: pair.receiver)
        }
        heard = heard.filter { living.contains($0.cookie) }
    }
}
