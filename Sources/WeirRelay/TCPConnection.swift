import CWeir
import Glibc
import WeirFlow
import WeirWire

/// Holds a connection that was accepted, on its way to the loop where it will live.
struct AcceptedConnection: Sendable {
    var descriptor: Int32
    var client: Endpoint
    var listener: Endpoint
    var route: Int
}

/// Holds one side of a TCP flow: its descriptor, and what epoll has said about it.
///
/// Epoll is edge-triggered: what it said stays true until a system call shows otherwise.
struct Leg: ~Copyable {
    private(set) var descriptor: Descriptor?
    private(set) var raw: Int32 = -1
    /// Something may be read.
    var isReadable = false
    /// Something may be written.
    var isWritable = true
    /// An end, an error or urgent data may stand behind what is read: a short read does not mean that all was read.
    var hasMoreBehind = false
    /// An end, and nothing else, stands behind what is read.
    var endsBehind = false
    /// The flow wants to read.
    var isReading = false
    /// The last byte was read.
    var hasEnded = false
    /// The flow was told that this side has reset.
    var hasAborted = false
    /// This side was told the end: the kernel counts that as one byte more to deliver.
    var hasFinished = false

    mutating func open(_ descriptor: consuming Descriptor) {
        let raw = descriptor.raw
        self = Leg(owning: descriptor, raw: raw)
    }

    init() {
        descriptor = nil
    }

    private init(owning descriptor: consuming Descriptor, raw: Int32) {
        self.descriptor = consume descriptor
        self.raw = raw
    }

    /// Closes the descriptor; epoll forgets it with that.
    mutating func close() {
        self = Leg()
    }

    var isOpen: Bool { raw >= 0 }
    var canRead: Bool { isReading && isReadable && !hasEnded }
}

/// Holds one TCP flow and its two sides, on the loop where it lives.
final class TCPConnection {
    @exclusivity(unchecked) var flow: Flow
    @exclusivity(unchecked) var client = Leg()
    @exclusivity(unchecked) var server = Leg()
    let route: Int
    let place: Int
    let generation: UInt32
    /// Lists the server's addresses, in the order in which they are dialed.
    @exclusivity(unchecked) var targets: [Endpoint] = []
    /// Holds a socket for the first dial, made before the flow starts: a client can wait for a descriptor, a dial cannot.
    @exclusivity(unchecked) var spare: Descriptor?
    /// Says which dial waits for a descriptor, of a flow that has started.
    var starvedAttempt: Int?
    @exclusivity(unchecked) var isDialing = false
    /// The server was reached, or the flow is its own server: what the client sends is read.
    @exclusivity(unchecked) var isConnected = false
    @exclusivity(unchecked) var isReady = false
    @exclusivity(unchecked) var isClosed = false
    @exclusivity(unchecked) var wakeAt: Instant?
    /// Counts what the flow keeps for echoes, as far as the loop has counted it.
    @exclusivity(unchecked) var bytesKeptForEcho = 0
    /// Says which directions' receivers are to be reset, once delivered or at a time, and when to look next.
    @exclusivity(unchecked) var resets: [(direction: Direction, by: Instant)] = []
    var resetPause = Duration.microseconds(500)

    init(flow: Flow, route: Int, place: Int, generation: UInt32) {
        self.flow = flow
        self.route = route
        self.place = place
        self.generation = generation
    }

    func token(_ kind: Token.Kind) -> Token { Token(kind, place: place, generation: generation) }

    /// Lends the side that a direction's bytes come from.
    subscript(source direction: Direction) -> Leg {
        @inline(__always) _read {
            if direction == .upstream { yield client } else { yield server }
        }
        @inline(__always) _modify {
            if direction == .upstream { yield &client } else { yield &server }
        }
    }
}
