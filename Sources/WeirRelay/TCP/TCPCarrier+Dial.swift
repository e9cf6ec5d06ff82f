import CWeir
import Glibc
import WeirEngine
import WeirWire

/// The dialing of a TCP flow's server.
extension TCPCarrier {
    /// Starts a flow, whose server's addresses are known, once a descriptor is available.
    func begin(_ connection: TCPConnection) {
        do {
            if !connection.legs.isDialed, let first = connection.state.addresses.first {
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
        connection.legs.server.close()
        connection.legs.isDialing = false
        if connection.legs.starvedAttempt != nil {
            connection.legs.starvedAttempt = nil
            starved.removeAll { $0 === connection }
        }
        guard attempt < connection.state.addresses.count else {
            // The name has no address, or each is now one of this relay's own listeners.
            let error = connection.state.target?.refusal ?? .connectionRefused
            return host.feed(connection, .connectFailed(error))
        }
        let target = connection.state.addresses[attempt]
        let descriptor: Descriptor
        if let spare = connection.legs.spare.take() {
            descriptor = spare
        } else {
            do {
                descriptor = try Socket.make(.tcp, for: target.address)
            } catch {
                if error.error.isShortage { return wait(connection, error.error, dialing: attempt) }
                host.feed(connection, .dialed(egress: nil, server: target))
                return host.feed(connection, .connectFailed(error.error))
            }
        }
        connection.legs.server.open(descriptor)
        let error = connect(connection, to: target)
        let raw = connection.legs.server.raw
        host.feed(connection, .dialed(egress: Socket.localEndpoint(raw), server: target))
        if let error { return fail(connection, error) }
        do {
            try loop.watch(raw, Self.interest, connection.token(.server))
            connection.legs.isDialing = true
        } catch {
            fail(connection, error.error)
        }
    }

    /// Starts to connect, from the configured egress port if it is available.
    private func connect(_ connection: TCPConnection, to target: Endpoint) -> ErrorNumber? {
        let isBound = loop.shared.prepareEgress(connection.legs.server.raw, connection.flow, to: target)
        let error = connect(connection.legs.server.raw, connection, target)
        guard isBound, let error, error.isTakenPort else { return error }
        // Another connection to this server has the port, so let the kernel choose one for a new socket.
        guard let fresh = try? Socket.make(.tcp, for: target.address) else { return error }
        connection.legs.server.close()
        connection.legs.server.open(fresh)
        return connect(connection.legs.server.raw, connection, target)
    }

    private func connect(_ raw: Int32, _ connection: TCPConnection, _ target: Endpoint) -> ErrorNumber? {
        Socket.setStreamOptions(raw)
        Socket.setKeepalive(loop.shared.configuration.keepalive, on: raw)
        if weir_unread(connection.legs.client.raw) > 0 { Socket.joinHandshake(raw) }
        return Socket.connect(raw, to: target)
    }

    /// Uses the server's leg that was connected before the flow began.
    private func useServer(of connection: TCPConnection) {
        connection.legs.isDialed = false
        let raw = connection.legs.server.raw
        guard let server = Socket.peerEndpoint(raw) else { return fail(connection, .connectionRefused) }
        host.feed(connection, .dialed(egress: Socket.localEndpoint(raw), server: server))
        do {
            try loop.watch(raw, Self.interest, connection.token(.server))
            host.feed(connection, .connected)
        } catch {
            fail(connection, error.error)
        }
    }

    private func fail(_ connection: TCPConnection, _ error: ErrorNumber) {
        connection.legs.server.close()
        host.feed(connection, .connectFailed(error))
    }

    /// Handles epoll's events for a dial.
    func finishDial(_ connection: TCPConnection, _ events: UInt32) {
        let raw = connection.legs.server.raw
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
            connection.legs.server.reset()
            return failDial(connection, .connectionRefused)
        }
        connection.legs.isDialing = false
        host.dispatch(connection, .connected)
        if let reset { connection.abort(.downstream, reset) }
    }

    private func failDial(_ connection: TCPConnection, _ error: ErrorNumber) {
        connection.legs.isDialing = false
        connection.legs.server.close()
        host.dispatch(connection, .connectFailed(error))
    }
}
