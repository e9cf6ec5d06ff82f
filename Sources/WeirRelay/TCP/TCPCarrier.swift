import CWeir
import Glibc
import Synchronization
import WeirEngine
import WeirWire

/// The carrier of one event loop's TCP flows: it accepts clients, dials servers, and reads what arrives.
///
/// Reading order: `handle` and `serviceReady` bring events to the host. `TCPCarrier+Accept` begins flows,
/// `TCPCarrier+Openings` hears what clients must say first, `TCPCarrier+Dial` reaches servers. What a flow asks is done
/// by its `TCPConnection`.
final class TCPCarrier: Carrier {
    /// The maximum number of reads of one flow and direction in one turn, so that no flow starves the others.
    private static let readsPerTurn = 8

    unowned(unsafe) let loop: LoopContext
    unowned(unsafe) let host: FlowHost
    var listeners: [TCPListener] = []
    /// The clients that have not said yet what they must say before their flow begins.
    var openings = SlotTable<OpeningClient>()
    /// The flows whose dial waits for a descriptor.
    var starved: [TCPConnection] = []
    /// Whether a timer is running for the next try to accept.
    var isRetrying = false
    let readBuffer: UnsafeMutableRawBufferPointer
    #if TLS
    /// The memory for encrypted bytes, once there is a flow with TLS.
    lazy var scratch = SecuredLeg.Scratch()
    /// The flows whose handshakes go on in the next turn.
    var postponed: [TCPConnection] = []
    /// How long this turn has worked on handshakes.
    var handshakeWork = Duration.zero
    #endif
    #if WEIR_CHECKS
    private var ready: [TCPConnection] = []
    #else
    @exclusivity(unchecked) private var ready: [TCPConnection] = []
    #endif

    init(loop: LoopContext, host: FlowHost) {
        self.loop = loop
        self.host = host
        readBuffer = loop.readBuffer
    }

    var hasReady: Bool {
        #if TLS
        if !postponed.isEmpty { return true }
        #endif
        return !ready.isEmpty
    }

    // MARK: - Events in

    /// Handles epoll's events for one side of a flow.
    func handle(_ events: UInt32, from direction: Direction, _ token: Token) {
        guard let connection = connection(token) else { return }
        if connection[source: direction].isEstablishing {
            finishDial(connection, events)
            if connection.isClosed || connection[source: direction].isEstablishing { return }
        }
        guard connection[source: direction].isOpen else { return }
        #if TLS
        if connection.legs.securing != nil {
            _ = connection[source: direction].note(events)
            return secure(connection)
        }
        #endif
        if connection[source: direction].note(events) { host.dispatch(connection, .writable(direction.opposite)) }
        if !connection.isClosed, events & UInt32(WEIR_ERR) != 0 { connection.noteError(direction) }
        #if TLS
        if !connection.isClosed, events & UInt32(WEIR_RDHUP) != 0 { connection.passFIN(direction) }
        #endif
        markReady(connection)
    }

    private func connection(_ token: Token) -> TCPConnection? {
        // Only TCP's flows have tokens of these kinds.
        host[token].map { unsafeDowncast($0, to: TCPConnection.self) }
    }

    /// Returns whether a direction can be read now, and is worth reading.
    ///
    /// While the receiver's kernel buffer is full, bytes that are read could only be copied into the flow's queue, so
    /// they stay in the kernel until there is room. Bytes that the flow would only drop need no room.
    private func canRead(_ connection: TCPConnection, _ direction: Direction) -> Bool {
        #if TLS
        if connection.legs.securing != nil { return false }
        #endif
        guard connection[source: direction].canRead else { return false }
        return connection[source: connection.flow.isEcho ? .upstream : direction.opposite].isWritable
            || connection.flow.reading(direction).isDiscarding
    }

    /// Adds a flow that may have bytes to read to the next turn.
    func markReady(_ connection: TCPConnection) {
        guard !connection.state.isReady, !connection.isClosed,
            canRead(connection, .upstream) || canRead(connection, .downstream)
        else { return }
        connection.state.isReady = true
        ready.append(connection)
    }

    /// Reads from the flows that have bytes to read, each as much as a turn allows.
    func serviceReady() {
        #if TLS
        // After the flows that only move bytes, which wait for no handshake then.
        defer { continueSecuring() }
        #endif
        guard !ready.isEmpty else { return }
        let turn = ready
        ready.removeAll(keepingCapacity: true)
        for connection in turn {
            connection.state.isReady = false
            if !loop.isHeld { service(connection) }
            markReady(connection)
        }
    }

    private func service(_ connection: TCPConnection) {
        for _ in 0..<Self.readsPerTurn {
            let hasRead = readIfReady(connection, .upstream)
            guard readIfReady(connection, .downstream) || hasRead else { return }
        }
    }

    private func readIfReady(_ connection: TCPConnection, _ direction: Direction) -> Bool {
        !connection.isClosed && !loop.isHeld && canRead(connection, direction) && read(connection, direction)
    }

    /// Reads once from a side; returns whether it may have more.
    private func read(_ connection: TCPConnection, _ direction: Direction) -> Bool {
        let room = UnsafeMutableRawBufferPointer(
            rebasing: readBuffer[..<min(readBuffer.count, connection.flow.reading(direction).limit)]
        )
        switch connection[source: direction].read(into: room) {
        case .bytes(let count, let isLast):
            let bytes = UnsafeRawBufferPointer(rebasing: room[..<count])
            #if TLS
            if connection.legs.watch != nil, watch(bytes, connection, direction) { return true }
            #endif
            forward(bytes, connection, direction, isLast: isLast)
            return true
        case .wouldBlock: return false
        case .failed(let error):
            #if TLS
            releaseHeld(connection, direction)
            if let failure = connection[source: direction].secured?.failure {
                if connection.answersCut(direction, failure) { break }
                fail(connection, direction == .upstream ? .client : .server, failure)
                return false
            }
            #endif
            // No end will follow the bytes that wait for one in the receiver's kernel buffer.
            connection[source: direction.opposite].push()
            connection.abort(direction, error)
        case .end: break
        }
        #if TLS
        releaseHeld(connection, direction)
        #endif
        guard !connection.isClosed else { return false }
        connection[source: direction].hasEnded = true
        #if TLS
        noteUnused(connection, direction)
        if connection[source: direction].secured?.ending == .truncated {
            host.dispatch(connection, .tls(.truncated(direction)))
            guard !connection.isClosed else { return false }
        }
        #endif
        host.dispatch(connection, .finished(direction))
        return true
    }

    func forward(
        _ bytes: UnsafeRawBufferPointer,
        _ connection: TCPConnection,
        _ direction: Direction,
        isLast: Bool
    ) {
        let arrival = Arrival(bytes: bytes)
        guard host.passes(connection, bytes, direction) else {
            return host.dispatch(connection, .received(direction), arrival)
        }
        // The flow gets back only what the kernel does not take.
        let finishesNext = isLast && connection.flow.reading(direction).passesEnd
        let (count, error) = connection[source: direction.opposite].write(bytes, finishesNext: finishesNext)
        guard count < bytes.count || error != nil else { return }
        host.change(connection, arrival) {
            if count < bytes.count { host.feed(connection, .sent(direction, count), bytes: bytes.bytes) }
            if let error { connection.feedAbort(direction.opposite, error) }
        }
    }

    /// Stops accepting clients; flows continue.
    func drain() {
        for listener in listeners { listener.close() }
        closeOpenings { _ in true }
    }

    /// Closes a flow's legs.
    func close(_ connection: TCPConnection, _ reason: CloseReason) {
        #if TLS
        noteTrust(connection)
        connection.sayEnds(reason)
        #endif
        // The server may have accepted before the loop gets the event: it must not mistake this for the client's FIN.
        if connection.legs.server.isEstablishing { connection.legs.server.reset() }
        connection.legs.client.close()
        connection.legs.server.close()
        #if TLS
        connection.legs.wire?.close()
        #endif
        loop.shared.loops[loop.index].flows.subtract(1, ordering: .relaxed)
        loop.shared.releaseFlow()
    }
}
