import CWeir
import Glibc
import WeirEngine
import WeirWire

/// The dialing of a TCP flow's server.
extension TCPRelay {
    /// Starts a flow once its server's addresses and a descriptor are available.
    func begin(_ connection: TCPConnection) {
        guard !connection.flow.isEcho else {
            connection.isConnected = true
            return start(connection)
        }
        guard let target = loop.shared.targets[connection.route] else { return }
        guard let endpoints = loop.endpoints(of: target, route: connection.route) else {
            unresolved.append(connection)
            return
        }
        begin(connection, at: endpoints)
    }

    private func begin(_ connection: TCPConnection, at endpoints: [Endpoint]) {
        connection.targets = endpoints
        do {
            if let first = endpoints.first { connection.spare = try Socket.make(.tcp, for: first.address) }
        } catch {
            if error.error.isShortage { return wait(connection, error.error) }
        }
        start(connection)
    }

    /// Continues the flows that waited for a target's addresses, which are known again.
    func targetResolved(_ route: Int) {
        guard let target = loop.shared.targets[route] else { return }
        let waiting = unresolved.filter { $0.route == route }
        unresolved.removeAll { $0.route == route }
        for connection in waiting where !connection.isClosed { begin(connection, at: target.endpoints) }
    }

    /// Makes a flow wait for a descriptor.
    ///
    /// - Parameters:
    ///   - connection: the flow.
    ///   - shortage: the error that reported the shortage.
    ///   - attempt: the dial that waits, until the flow's connect time-out; nil if none was started.
    private func wait(_ connection: TCPConnection, _ shortage: ErrorNumber, dialing attempt: Int? = nil) {
        if connection.starvedAttempt == nil { starved.append(connection) }
        connection.starvedAttempt = attempt
        pauseAccepting(shortage)
    }

    /// Retries the flows that wait for a descriptor, in their order, because one may be free.
    func retryStarved() {
        let waiting = starved
        starved = []
        for (index, connection) in waiting.enumerated() where !connection.isClosed {
            let attempt = connection.starvedAttempt
            connection.starvedAttempt = nil
            if let attempt { redial(connection, attempt) } else { begin(connection, at: connection.targets) }
            guard starved.isEmpty else {
                starved += waiting[(index + 1)...]
                return
            }
        }
    }

    /// Starts to connect to one of the server's addresses; never blocks.
    func dial(_ connection: TCPConnection, _ attempt: Int) {
        connection.server.close()
        connection.isDialing = false
        if connection.starvedAttempt != nil {
            connection.starvedAttempt = nil
            starved.removeAll { $0 === connection }
        }
        guard attempt < connection.targets.count else {
            // The name has no address, or each is now one of this relay's own listeners.
            let error = loop.shared.targets[connection.route]?.refusal ?? .connectionRefused
            return feed(connection, .connectFailed(error))
        }
        let target = connection.targets[attempt]
        let descriptor: Descriptor
        if let spare = connection.spare.take() {
            descriptor = spare
        } else {
            do {
                descriptor = try Socket.make(.tcp, for: target.address)
            } catch {
                if error.error.isShortage { return wait(connection, error.error, dialing: attempt) }
                feed(connection, .dialed(egress: nil, server: target))
                return feed(connection, .connectFailed(error.error))
            }
        }
        connection.server.open(descriptor)
        let error = connect(connection, to: target)
        let raw = connection.server.raw
        feed(connection, .dialed(egress: Socket.localEndpoint(raw), server: target))
        if let error { return fail(connection, error) }
        do {
            try loop.watch(raw, Self.interest, connection.token(.server))
            connection.isDialing = true
        } catch {
            fail(connection, error.error)
        }
    }

    /// Starts to connect, from the configured egress port if it is available.
    private func connect(_ connection: TCPConnection, to target: Endpoint) -> ErrorNumber? {
        let isBound = loop.shared.prepareEgress(connection.server.raw, connection.flow, to: target)
        let error = connect(connection.server.raw, connection, target)
        guard isBound, let error, error.isTakenPort else { return error }
        // Another connection to this server has the port, so let the kernel choose one for a new socket.
        guard let fresh = try? Socket.make(.tcp, for: target.address) else { return error }
        connection.server.close()
        connection.server.open(fresh)
        return connect(connection.server.raw, connection, target)
    }

    private func connect(_ raw: Int32, _ connection: TCPConnection, _ target: Endpoint) -> ErrorNumber? {
        Socket.setStreamOptions(raw)
        Socket.setKeepalive(loop.shared.configuration.keepalive, on: raw)
        if weir_unread(connection.client.raw) > 0 { Socket.joinHandshake(raw) }
        return Socket.connect(raw, to: target)
    }

    private func fail(_ connection: TCPConnection, _ error: ErrorNumber) {
        connection.server.close()
        feed(connection, .connectFailed(error))
    }

    /// Handles epoll's events for a dial.
    func finishDial(_ connection: TCPConnection, _ events: UInt32) {
        let raw = connection.server.raw
        var reset: ErrorNumber?
        if events & (UInt32(WEIR_ERR) | UInt32(WEIR_HUP)) != 0 {
            let error = Socket.pendingError(raw) ?? .connectionRefused
            guard error == .connectionReset else { return failDial(connection, error) }
            // Only an established connection can be reset, so the server had accepted it.
            reset = error
        }
        guard events & UInt32(WEIR_OUT) != 0 else { return }
        if let egress = connection.flow.path.egress, egress == connection.flow.path.server {
            // A dial to an ephemeral port without a listener can connect to itself.
            Socket.resetOnClose(raw)
            return failDial(connection, .connectionRefused)
        }
        connection.isDialing = false
        connection.isConnected = true
        dispatch(connection, .connected)
        if let reset { abort(connection, .downstream, reset) }
    }

    private func failDial(_ connection: TCPConnection, _ error: ErrorNumber) {
        connection.isDialing = false
        connection.server.close()
        dispatch(connection, .connectFailed(error))
    }
}
