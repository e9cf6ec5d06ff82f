import CWeir
import Glibc
import Synchronization
import WeirEngine
import WeirWire

/// One thread with one epoll: it reads, passes events to the flows, and performs the actions that they return.
///
/// It is confined to its thread, which creates it; other threads reach it through its `LoopHandle`.
final class EventLoop {
    private let context: LoopContext
    private let host: FlowHost
    private let tcp: TCPCarrier
    private let udp: UDPCarrier
    private var whenIdle: (@Sendable () -> Void)?
    private var whenStopped: (@Sendable () -> Void)?

    private init(index: Int, shared: Shared) throws(SystemError) {
        context = try LoopContext(index: index, shared: shared)
        host = FlowHost(loop: context)
        tcp = TCPCarrier(loop: context, host: host)
        udp = UDPCarrier(loop: context, host: host)
        host.carriers = (tcp, udp)
    }

    private var mailbox: Mailbox<LoopMessage> { context.handle.mailbox }

    /// Creates a loop on this thread, reports that it is ready, and runs it until it is told to stop.
    ///
    /// The loop owns the listening sockets and closes them when it ends, even if it cannot be created.
    ///
    /// - Returns: the closure to call now that the loop is gone and its sockets are closed.
    static func serve(
        index: Int,
        shared: Shared,
        tcp: [Listening],
        udp: [Listening],
        whenReady: () -> Void
    ) throws(SystemError) -> (@Sendable () -> Void)? {
        let tcpListeners = tcp.map { TCPListener($0) }
        let udpListeners = udp.enumerated().map { UDPListener($1, place: $0) }
        let loop = try EventLoop(index: index, shared: shared)
        try loop.tcp.listen(tcpListeners)
        try loop.udp.listen(udpListeners)
        whenReady()
        loop.run()
        return loop.whenStopped
    }

    private func run() {
        withUnsafeTemporaryAllocation(of: weir_event.self, capacity: 256) { events in
            do throws(SystemError) {
                while whenStopped == nil { try turn(events) }
            } catch {
                fail(error)
            }
        }
        for message in mailbox.close() {
            switch message {
            // Another thread waits for the answer.
            case .perform(let body): body(host)
            case .setToxics(_, _, let whenDone): whenDone()
            case .drain(let whenIdle): whenIdle()
            case .stop(let whenStopped): self.whenStopped = whenStopped
            default: break
            }
        }
        whenIdle?()
        context.flush()
    }

    /// Ends the flows of a loop that can no longer wait for events, and reports the error.
    private func fail(_ error: SystemError) {
        context.fail()
        tcp.drain()
        udp.drain()
        host.shutdown()
        context.shared.configuration.whenLoopFails(error)
    }

    private func turn(_ events: UnsafeMutableBufferPointer<weir_event>) throws(SystemError) {
        let timeout = timeout()
        if timeout != 0 { context.setIdle(true) }
        let count = weir_epoll_wait(context.epoll.raw, events.baseAddress, 256, timeout)
        if timeout != 0 { context.setIdle(false) }
        guard count >= 0 else { throw SystemError("wait for events (epoll_wait)", ErrorNumber(-count)) }
        context.beginTurn()
        for index in 0..<Int(max(0, count)) { dispatch(events[index]) }
        if context.isHeld, !context.shared.hub.isFull { release() }
        if !context.isHeld {
            tcp.serviceReady()
            udp.serviceReady()
        }
        fireTimers()
        if context.isDraining { udp.endIdle() }
        context.flush()
        if let whenIdle, host.isEmpty {
            self.whenIdle = nil
            whenIdle()
        }
    }

    /// Returns how long to wait, in nanoseconds: 0 while there is work left, -1 (for ever) while there are no timers.
    private func timeout() -> Int64 {
        if !context.isHeld, tcp.hasReady || udp.hasReady { return 0 }
        guard let due = context.timers.firstDue else { return -1 }
        return max(0, SystemClock.instant().duration(to: due).inNanoseconds)
    }

    private func dispatch(_ event: weir_event) {
        let token = Token(rawValue: event.token)
        switch token.kind {
        case .mailbox: for message in mailbox.take() { handle(message) }
        case .tcpListener: tcp.accept(from: token.place)
        case .opening: tcp.handleOpening(event.events, token)
        case .client: tcp.handle(event.events, from: .upstream, token)
        case .server: tcp.handle(event.events, from: .downstream, token)
        case .udpListener: udp.handleListener(event.events, token)
        case .session: udp.handleSession(event.events, token)
        case .flowTimer, .retryAccept, nil: break
        }
    }

    private func handle(_ message: LoopMessage) {
        switch message {
        case .adopt(let connection): tcp.adopt(connection)
        case .resolved(let target): host.resolved(target)
        case .resumeAccepting: tcp.resumeAccepting()
        case .evictSession: udp.evictForOthers()
        case .sinksReady: break
        case .drain(let whenIdle):
            context.drain()
            self.whenIdle = whenIdle
            tcp.drain()
            udp.drain()
        case .perform(let body): body(host)
        case .setToxics(let set, let route, let whenDone):
            context.setToxics(set, route: route)
            host.setToxics(set, route: route)
            whenDone()
        case .shutdown: host.shutdown()
        case .stop(let whenStopped): self.whenStopped = whenStopped
        }
    }

    private func fireTimers() {
        if context.timers.isCrowded { thinTimers() }
        guard let due = context.timers.firstDue, due <= context.turnBegan else { return }
        let now = SystemClock.instant()
        while let entry = context.timers.popDue(at: now) {
            switch entry.token.kind {
            case .flowTimer: host.wake(entry, heldUntil: context.isHeld ? now : context.heldUntil)
            case .opening: tcp.openingIsLate(entry.token)
            case .retryAccept: tcp.retryAccepting()
            default: break
            }
        }
    }

    private func thinTimers() {
        context.timers.thin { entry in
            switch entry.token.kind {
            case .flowTimer: host.isNeeded(entry)
            default: true
            }
        }
    }

    private func release() {
        context.release()
        host.markAllReady()
        udp.markListenersReady()
    }
}
