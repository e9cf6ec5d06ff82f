import CWeir
import Glibc
import WeirFlow
import WeirWire

/// Tells UDP sessions apart: the client's endpoint, and the address that it sends to.
struct SessionKey: Hashable {
    private let high: UInt64
    private let low: UInt64
    private let localHigh: UInt64
    private let localLow: UInt64
    private let rest: UInt64

    init(client: Endpoint, local: IPAddress) {
        high = client.address.high
        low = client.address.low
        localHigh = local.high
        localLow = local.low
        rest = UInt64(client.port) << 32 | UInt64(client.address.scope)
    }
}

/// Holds one UDP session, on the loop where it lives.
final class UDPSession {
    @exclusivity(unchecked) var flow: Flow
    /// Holds the socket to the server; nil for a session that sends back what comes.
    var egress: Descriptor?
    var raw: Int32 = -1
    /// The server that was dialed.
    var server: Endpoint?
    /// Where the client's datagrams go: the server, or the port of it that answered last.
    @exclusivity(unchecked) var peer: Endpoint?
    /// Holds a socket for the first dial, made before the flow starts: only then can another session make room for it.
    var spare: Descriptor?
    let listener: UDPListener
    let key: SessionKey
    let client: Endpoint
    /// Says which address answers leave from; nil where the listener has only one.
    let local: IPAddress?
    let place: Int
    let generation: UInt32
    var targets: [Endpoint] = []
    @exclusivity(unchecked) var isReadable = false
    var isReady = false
    @exclusivity(unchecked) var isReading = false
    @exclusivity(unchecked) var isClosed = false
    /// The socket to the server takes nothing now.
    var isBlocked = false
    var wakeAt: Instant?
    /// Counts the datagrams that the kernel has dropped here, as far as was reported.
    var drops = 0
    /// Links the sessions by their last activity.
    @exclusivity(unchecked) var newer: UDPSession?
    @exclusivity(unchecked) unowned(unsafe) var older: UDPSession?
    /// Lists the places in the inbox of the datagrams that are to go to the server with the next batch.
    @exclusivity(unchecked) var pending: [Int] = []

    init(
        flow: Flow,
        listener: UDPListener,
        key: SessionKey,
        local: IPAddress?,
        place: Int,
        generation: UInt32
    ) {
        self.flow = flow
        self.listener = listener
        self.key = key
        self.local = local
        self.place = place
        self.generation = generation
        client = flow.path.client
    }

    func token(_ kind: Token.Kind) -> Token { Token(kind, place: place, generation: generation) }
}

/// Is a UDP socket that clients send to, with its sessions.
final class UDPListener {
    private var descriptor: Descriptor?
    let raw: Int32
    let listening: Listening
    let place: Int
    @exclusivity(unchecked) var sessions: [SessionKey: UDPSession] = [:]
    var isReadable = false
    var isReady = false
    /// Lists the sessions whose answers wait for room in the kernel.
    var blocked: [UDPSession] = []
    /// Counts the datagrams that the kernel has dropped here, as far as was reported.
    var drops = 0
    /// Counts the bytes that the kernel keeps for this socket, its own bookkeeping included.
    let receiveBuffer: Int

    init(_ listening: Listening, place: Int) {
        descriptor = Descriptor(owning: listening.descriptor)
        raw = listening.descriptor
        receiveBuffer = Socket.get(SO_RCVBUF, of: SOL_SOCKET, on: listening.descriptor)
        self.listening = listening
        self.place = place
    }

    var isClosed: Bool { descriptor == nil }

    /// Takes no datagram any more; its sessions are to have ended.
    func close() { descriptor = nil }
}

/// Orders sessions by their last activity.
struct RecentSessions {
    private(set) var oldest: UDPSession?
    private unowned(unsafe) var newest: UDPSession?

    /// Makes a session the newest one; it may be in the list already.
    mutating func touch(_ session: UDPSession) {
        guard newest !== session else { return }
        remove(session)
        session.older = newest
        newest?.newer = session
        newest = session
        if oldest == nil { oldest = session }
    }

    mutating func remove(_ session: UDPSession) {
        let newer = session.newer
        let older = session.older
        guard newer != nil || older != nil || oldest === session else { return }
        if let older { older.newer = newer } else { oldest = newer }
        if let newer { newer.older = older } else { newest = older }
        session.newer = nil
        session.older = nil
    }
}
