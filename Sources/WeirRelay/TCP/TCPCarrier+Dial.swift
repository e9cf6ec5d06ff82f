import CWeir
import Glibc
import WeirEngine
import WeirWire

/// The dialing of a TCP flow's server.
extension TCPCarrier {
    /// Starts a flow, whose server's addresses are known, once a descriptor is available.
    func begin(_ connection: TCPConnection) {
        do {
            if !connection.legs.isDialed, connection.legs.failed == nil, let first = connection.state.addresses.first {
                connection.legs.spare = try Socket.make(.tcp, for: first.address)
            }
        } catch {
            if error.error.isShortage { return wait(connection, error.error) }
        }
        host.start(connection)
    }

    /// Makes a flow wait for a descriptor.
    ///
    /// - Parameters:
    ///   - connection: the flow.
    ///   - shortage: the error that reported the shortage.
    ///   - attempt: the dial that waits, until the flow's connect time-out; nil if none was started.
    private func wait(_ connection: TCPConnection, _ shortage: ErrorNumber, dialing attempt: Int? = nil) {
        if connection.legs.starvedAttempt == nil { starved.append(connection) }
        connection.legs.starvedAttempt = attempt
        pauseAccepting(shortage)
    }

    /// Retries the flows that wait for a descriptor, in their order, because one may be free.
    func retryStarved() {
        let waiting = starved
        starved = []
        for (index, connection) in waiting.enumerated() where !connection.isClosed {
            let attempt = connection.legs.starvedAttempt
            connection.legs.starvedAttempt = nil
            if let attempt { host.change(connection) { dial(connection, attempt) } } else { begin(connection) }
            guard starved.isEmpty else {
                starved += waiting[(index + 1)...]
                return
            }
        }
    }

    /// Starts to connect to one of the server's addresses; never blocks.
    func dial(_ connection: TCPConnection, _ attempt: Int) {
        guard !connection.legs.isDialed else { return useServer(of: connection) }
        if let failed = connection.legs.failed {
            host.feed(connection, .dialed(egress: failed.egress, server: failed.server))
            return fail(connection, failed.error)
        }
        connection.legs.server.close()
        if connection.legs.starvedAttempt != nil {
            connection.legs.starvedAttempt = nil
            starved.removeAll { $0 === connection }
        }
        guard attempt < connection.state.addresses.count else {
            // The name has no address, or each is now one of this relay's own listeners.
            return fail(connection, connection.state.target?.refusal ?? .connectionRefused)
        }
        let target = connection.state.addresses[attempt]
        let socket: Descriptor
        if let spare = connection.legs.spare.take() {
            socket = spare
        } else {
            do {
                socket = try Socket.make(.tcp, for: target.address)
            } catch {
                if error.error.isShortage { return wait(connection, error.error, dialing: attempt) }
                host.feed(connection, .dialed(egress: nil, server: target))
                return fail(connection, error.error)
            }
        }
        let error = connection.legs.server.dial(
            socket,
            to: target,
            keepalive: loop.shared.configuration.keepalive,
            hasBytes: connection.legs.client.unread > 0
        ) { loop.shared.prepareEgress($0, connection.flow, to: target) }
        host.feed(connection, .dialed(egress: connection.legs.server.local, server: target))
        if let error { return fail(connection, error) }
        _ = watchServer(of: connection)
    }

    /// Uses the server's leg that was connected before the flow began.
    private func useServer(of connection: TCPConnection) {
        connection.legs.isDialed = false
        guard let server = connection.legs.server.peer else { return fail(connection, .connectionRefused) }
        host.feed(connection, .dialed(egress: connection.legs.server.local, server: server))
        #if TLS
        connection.recordServer()
        #endif
        if watchServer(of: connection) { host.feed(connection, .connected) }
    }

    /// Lets the kernel watch a flow's server; returns false if it refuses to, which is a failed dial.
    private func watchServer(of connection: TCPConnection) -> Bool {
        do {
            try connection.legs.server.watch(in: loop, connection.token(.server))
            return true
        } catch {
            fail(connection, error.error)
            return false
        }
    }

    private func fail(_ connection: TCPConnection, _ error: ErrorNumber) {
        connection.legs.server.close()
        connection.legs.opening?.failure = error
        host.feed(connection, .connectFailed(error))
    }

    /// Handles epoll's events for a dial.
    func finishDial(_ connection: TCPConnection, _ events: UInt32) {
        let path = connection.flow.path
        switch connection.legs.server.advance(events, isOwnEnd: path.egress != nil && path.egress == path.server) {
        case .waits: return
        case .failed(let error): host.change(connection) { fail(connection, error) }
        case .established(let reset):
            #if TLS
            connection.recordServer()
            #endif
            host.change(connection) {
                connection.answerOpening(.connected(egress: path.egress, server: path.server))
                host.feed(connection, .connected)
            }
            if let reset { return connection.abort(.downstream, reset) }
            #if TLS
            secure(connection)
            #endif
        }
    }
}
