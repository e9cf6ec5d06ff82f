import CWeir
import Glibc
import Synchronization
import WeirEngine
import WeirWire

/// The relay of one event loop's TCP flows: it reads, passes events to the flow, and performs the actions it returns.
///
/// Reading order: `handle` and `service` receive events; `perform` carries out the flow's actions, in one switch.
/// `TCPRelay+Accept` begins flows, `TCPRelay+Dial` reaches servers, `TCPRelay+Resets` receives and sends resets.
final class TCPRelay {
    /// The maximum number of reads of one flow and direction in one turn, so that no flow starves the others.
    private static let readsPerTurn = 8
    /// The maximum number of bytes that all flows of a loop keep for echoes.
    private static let echoBound = 64 << 20
    /// The number of bytes that every flow may keep, even beyond that limit.
    private static let echoAlways = 4096

    unowned(unsafe) let loop: EventLoop
    @exclusivity(unchecked) var listeners: [TCPListener] = []
    @exclusivity(unchecked) var connections = SlotTable<TCPConnection>()
    /// The flows that wait for their target's addresses.
    var unresolved: [TCPConnection] = []
    /// The flows whose dial waits for a descriptor.
    var starved: [TCPConnection] = []
    /// Whether a timer is running for the next try to accept.
    var isRetrying = false
    @exclusivity(unchecked) private(set) var settings: FlowSettings
    private let readBuffer: UnsafeMutableRawBufferPointer
    @exclusivity(unchecked) private var ready: [TCPConnection] = []
    @exclusivity(unchecked) private var actions: [FlowAction] = []
    @exclusivity(unchecked) private var bytesKeptForEcho = 0

    init(loop: EventLoop) {
        self.loop = loop
        readBuffer = loop.readBuffer
        let hub = loop.shared.hub
        settings = loop.shared.configuration.settings(
            for: .tcp,
            recordsChunks: hub.interest >= .chunks,
            showsEchoes: hub.showsEchoes
        )
    }

    var isEmpty: Bool { connections.count == 0 }
    var hasReady: Bool { !ready.isEmpty }

    // MARK: - Events in

    /// Handles epoll's events for one side of a flow.
    func handle(_ events: UInt32, from direction: Direction, _ token: Token) {
        guard let connection = connections[token] else { return }
        if connection.isDialing, direction == .downstream {
            finishDial(connection, events)
            if connection.isClosed || connection.isDialing { return }
        }
        guard connection[source: direction].isOpen else { return }
        let behind = UInt32(WEIR_RDHUP) | UInt32(WEIR_HUP) | UInt32(WEIR_ERR) | UInt32(WEIR_PRI)
        if events & behind != 0 {
            connection[source: direction].hasMoreBehind = true
            connection[source: direction].endsBehind = events & behind == UInt32(WEIR_RDHUP)
        }
        if events & (behind | UInt32(WEIR_IN)) != 0 { connection[source: direction].isReadable = true }
        if events & UInt32(WEIR_OUT) != 0, !connection[source: direction].isWritable {
            connection[source: direction].isWritable = true
            if connection.flow.hasQueued(direction.opposite) { dispatch(connection, .writable(direction.opposite)) }
        }
        if !connection.isClosed, events & UInt32(WEIR_ERR) != 0 { noteError(connection, direction) }
        markReady(connection)
    }

    /// Returns whether a direction can be read now, and is worth reading.
    ///
    /// While the receiver's kernel buffer is full, bytes that are read could only be copied into the flow's queue, so
    /// they stay in the kernel until there is room. Bytes that the flow would only drop need no room.
    private func canRead(_ connection: TCPConnection, _ direction: Direction) -> Bool {
        guard connection[source: direction].canRead else { return false }
        return connection[source: connection.flow.isEcho ? .upstream : direction.opposite].isWritable
            || connection.flow.isDiscarding
    }

    /// Adds a flow that may have bytes to read to the next turn.
    func markReady(_ connection: TCPConnection) {
        guard !connection.isReady, !connection.isClosed,
            canRead(connection, .upstream) || canRead(connection, .downstream)
        else { return }
        connection.isReady = true
        ready.append(connection)
    }

    func markAllReady() {
        for connection in connections.all { markReady(connection) }
    }

    /// Reads from the flows that have bytes to read, each as much as a turn allows.
    func serviceReady() {
        guard !ready.isEmpty else { return }
        let turn = ready
        ready.removeAll(keepingCapacity: true)
        for connection in turn {
            connection.isReady = false
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

    private func read(_ connection: TCPConnection, _ direction: Direction) -> Bool {
        let room = min(readBuffer.count, connection.flow.readLimit(direction))
        let count = Int(weir_receive(connection[source: direction].raw, readBuffer.baseAddress, room))
        if count > 0 {
            let isAll = count < room
            if isAll, !connection[source: direction].hasMoreBehind { connection[source: direction].isReadable = false }
            let chunk = UnsafeRawBufferPointer(rebasing: readBuffer[..<count])
            if connection.flow.passes(chunk.bytes, direction, at: loop.turnBegan) {
                let endsBehind = isAll && connection[source: direction].endsBehind
                pass(
                    chunk,
                    connection,
                    direction,
                    endsBehind: endsBehind && connection.flow.passesEnd(direction)
                )
            } else {
                dispatch(connection, .received(direction), bytes: chunk.bytes)
            }
            return true
        }
        if count == -Int(EINTR) { return true }
        if count == -Int(EAGAIN) {
            connection[source: direction].isReadable = false
            return false
        }
        if count < 0 {
            // No end will follow the bytes that wait for one in the receiver's kernel buffer.
            Socket.push(connection[source: direction.opposite].raw)
            abort(connection, direction, ErrorNumber(Int32(-count)))
        }
        guard !connection.isClosed else { return false }
        connection[source: direction].hasEnded = true
        dispatch(connection, .finished(direction))
        return true
    }

    /// Forwards a chunk that the flow has let pass; the flow gets back the bytes that the kernel does not take.
    private func pass(
        _ chunk: UnsafeRawBufferPointer,
        _ connection: TCPConnection,
        _ direction: Direction,
        endsBehind: Bool
    ) {
        let (count, error) = write(chunk, connection, direction, endsBehind: endsBehind)
        guard count < chunk.count || error != nil else { return }
        actions.removeAll(keepingCapacity: true)
        if count < chunk.count { feed(connection, .sent(direction, count), bytes: chunk.bytes) }
        if let error { feedAbort(connection, direction.opposite, error) }
        performAll(connection, bytes: chunk.bytes)
    }

    func wake(_ entry: TimerHeap.Entry, excusedUntil: Instant) {
        guard let connection = connections[entry.token] else { return }
        if !connection.resets.isEmpty {
            change(connection) { tryResets(connection) }
        }
        guard !connection.isClosed, connection.wakeAt == entry.due else { return }
        connection.wakeAt = nil
        connection.flow.touch(at: excusedUntil)
        dispatch(connection, .wake)
    }

    /// Applies a new set of toxics to a route's open flows.
    func setToxics(_ set: ToxicSet, route: Int) {
        for connection in connections.all where connection.route == route {
            actions.removeAll(keepingCapacity: true)
            connection.flow.setToxics(set, at: loop.now(), into: &actions)
            performAll(connection, bytes: RawSpan())
        }
    }

    /// Changes a flow between two chunks, and performs the resulting actions.
    func change<Result>(
        _ connection: TCPConnection,
        _ body: (inout Flow, Moment, inout [FlowAction]) -> Result
    ) -> Result {
        actions.removeAll(keepingCapacity: true)
        let result = body(&connection.flow, loop.now(), &actions)
        performAll(connection, bytes: RawSpan())
        return result
    }

    /// Returns whether a timer still has a purpose.
    func isNeeded(_ entry: TimerHeap.Entry) -> Bool {
        guard let connection = connections[entry.token] else { return false }
        return connection.wakeAt == entry.due || !connection.resets.isEmpty
    }

    /// Stops accepting clients; flows continue.
    func drain() {
        for listener in listeners { listener.close() }
    }

    func recordChunks(_ isWanted: Bool) {
        settings.recordsChunks = isWanted
        settings.echoWindow = loop.echoWindow
        for connection in connections.all { connection.flow.recordChunks(isWanted) }
    }

    func shutdown() {
        for connection in connections.all { dispatch(connection, .shutdown) }
    }

    // MARK: - Actions out

    /// Passes an event to the flow, and performs the resulting actions.
    func dispatch(_ connection: TCPConnection, _ event: FlowEvent, bytes: RawSpan = RawSpan()) {
        actions.removeAll(keepingCapacity: true)
        feed(connection, event, bytes: bytes)
        performAll(connection, bytes: bytes)
    }

    /// Limits what all flows of the loop keep for echoes together: a flow that would keep more stops looking for
    /// echoes.
    private func boundEcho(_ connection: TCPConnection) {
        let now = connection.flow.bytesKeptForEcho
        let kept = connection.bytesKeptForEcho
        guard now != kept, !connection.isClosed else { return }
        bytesKeptForEcho += now - kept
        connection.bytesKeptForEcho = now
        // An expected echo is limited by the window of each flow, and its detection never stops.
        guard !settings.expectsEcho, now > kept, now > Self.echoAlways, bytesKeptForEcho > Self.echoBound else {
            return
        }
        connection.flow.giveUpEcho()
        bytesKeptForEcho -= now
        connection.bytesKeptForEcho = 0
    }

    /// Starts a flow, now that its server's addresses are known.
    func start(_ connection: TCPConnection) {
        actions.removeAll(keepingCapacity: true)
        connection.flow.start(attempts: connection.targets.count, at: loop.now(), into: &actions)
        performAll(connection, bytes: RawSpan())
    }

    /// Closes a flow on request; bytes that both sides have sent and that will not be read are counted.
    func dismiss(_ connection: TCPConnection) {
        change(connection) {
            // A flow that is being reset counts them at the reset.
            if connection.resets.isEmpty { for side in Direction.allCases { feedUnread(connection, side) } }
            feed(connection, .dismissed)
        }
    }

    /// Passes several events to the flow, and performs the resulting actions.
    func change(_ connection: TCPConnection, _ body: () -> Void) {
        actions.removeAll(keepingCapacity: true)
        body()
        performAll(connection, bytes: RawSpan())
    }

    /// Dials again after a dial that failed for lack of a descriptor.
    func redial(_ connection: TCPConnection, _ attempt: Int) {
        actions.removeAll(keepingCapacity: true)
        dial(connection, attempt)
        performAll(connection, bytes: RawSpan())
    }

    /// Passes the outcome of an action to the flow; the resulting actions come after those that are waiting.
    func feed(_ connection: TCPConnection, _ event: FlowEvent, bytes: RawSpan = RawSpan()) {
        connection.flow.handle(event, bytes: bytes, at: loop.now(), into: &actions)
    }

    private func performAll(_ connection: TCPConnection, bytes: RawSpan) {
        var index = 0
        while index < actions.count {
            perform(actions[index], connection, bytes)
            index += 1
        }
        boundEcho(connection)
        markReady(connection)
    }

    private func perform(_ action: FlowAction, _ connection: TCPConnection, _ bytes: RawSpan) {
        switch action {
        case .send(let direction): send(connection, direction, bytes)
        case .sendQueued(let direction): sendQueued(connection, direction)
        case .record(let record): loop.record(record, bytes: bytes, route: connection.route)
        case .recordCopy(let record, let copy): loop.record(record, bytes: copy.span.bytes, route: connection.route)
        case .connect(let attempt): dial(connection, attempt)
        case .finish(let direction):
            Glibc.shutdown(connection[source: direction.opposite].raw, Int32(SHUT_WR))
            connection[source: direction.opposite].hasFinished = true
        case .reset(let direction, let by):
            let earlier = connection.resets.first { $0.direction == direction }?.by
            connection.resets.removeAll { $0.direction == direction }
            connection.resets.append((direction, min(by, earlier ?? by)))
            tryResets(connection)
        case .pauseReading(let direction): connection[source: direction].isReading = false
        case .resumeReading(let direction): connection[source: direction].isReading = true
        case .wake(let instant):
            connection.wakeAt = instant
            loop.timers.insert(connection.token(.tcpTimer), due: instant)
        case .close: close(connection)
        }
    }

    private func send(_ connection: TCPConnection, _ direction: Direction, _ bytes: RawSpan) {
        let (count, error) = bytes.withUnsafeBytes { write($0, connection, direction) }
        if count < bytes.byteCount { feed(connection, .sent(direction, count), bytes: bytes) }
        if let error { feedAbort(connection, direction.opposite, error) }
    }

    private func sendQueued(_ connection: TCPConnection, _ direction: Direction) {
        connection.flow.beginSending(direction)
        guard let (count, error) = connection.flow.withQueued(direction, { write($0, connection, direction) }) else {
            return
        }
        if count > 0 { feed(connection, .sent(direction, count)) }
        if let error { feedAbort(connection, direction.opposite, error) }
    }

    /// Offers bytes to the kernel; returns how many it took, and the error if the receiver turns out to have reset.
    private func write(
        _ bytes: UnsafeRawBufferPointer,
        _ connection: TCPConnection,
        _ direction: Direction,
        endsBehind: Bool = false
    ) -> (count: Int, error: ErrorNumber?) {
        let receiver = direction.opposite
        guard connection[source: receiver].isWritable else { return (0, nil) }
        let raw = connection[source: receiver].raw
        var count: Int
        repeat {
            count = Int(weir_send(raw, bytes.baseAddress, bytes.count, endsBehind))
        } while count == -Int(EINTR)
        if count == bytes.count { return (count, nil) }
        connection[source: receiver].isWritable = false
        if count >= 0 { return (count, nil) }
        return (0, count == -Int(EAGAIN) ? nil : ErrorNumber(Int32(-count)))
    }

    private func close(_ connection: TCPConnection) {
        connection.isClosed = true
        // The server may have accepted before the loop gets the event: it must not mistake this for the client's FIN.
        if connection.isDialing { Socket.resetOnClose(connection.server.raw) }
        connection.isDialing = false
        bytesKeptForEcho -= connection.bytesKeptForEcho
        loop.tally(connection.route) { $0.add(ended: connection.flow) }
        connection.client.close()
        connection.server.close()
        connections.remove(at: connection.place)
        loop.shared.loops[loop.index].flows.subtract(1, ordering: .relaxed)
        loop.shared.releaseFlow()
    }
}
