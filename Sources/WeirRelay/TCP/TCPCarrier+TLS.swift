#if TLS
import Glibc
import WeirDissect
import WeirEngine
import WeirTLS
import WeirWire

/// The handshakes of flows with TLS, and their ends.
extension TCPCarrier {
    /// Gives a new flow its handshakes, if its route has TLS.
    func prepareSecuring(_ connection: TCPConnection) {
        let security = loop.shared.targets.security(of: connection.route)
        guard security != .plain, let services = loop.shared.configuration.tls else { return }
        let now = loop.now().instant
        let deadline = now.advanced(by: loop.shared.configuration.connectTimeout)
        connection.legs.securing = Securing(
            security,
            services,
            targetName: connection.state.target?.name,
            at: now,
            until: deadline
        )
        loop.timers.insert(connection.token(.flowTimer), due: deadline)
    }

    /// Ends a flow whose handshakes take too long.
    func securingIsLate(_ connection: TCPConnection) {
        guard let securing = connection.legs.securing, loop.now().instant >= securing.deadline else { return }
        let leg: FlowLeg = if case .server = securing.phase { .server } else { .client }
        fail(connection, leg, reason: "the handshake was not complete in time")
    }

    /// Goes on with a flow's handshakes, as far as they can.
    func secure(_ connection: TCPConnection) {
        while let securing = connection.legs.securing, !connection.isClosed {
            let goesOn =
                switch securing.phase {
                case .hello: hear(securing, connection)
                case .dialing: reach(securing, connection)
                case .server(let leg): shakeServer(securing, leg, connection)
                case .client(let leg): shakeClient(securing, leg, connection)
                }
            guard goesOn else { return }
        }
    }

    /// Reads the client's ClientHello; returns whether it is whole.
    private func hear(_ securing: Securing, _ connection: TCPConnection) -> Bool {
        while connection.legs.client.isReadable {
            switch connection.legs.client.readBytes(into: readBuffer) {
            case .bytes(let count, _):
                switch securing.gate.feed(UnsafeRawBufferPointer(rebasing: readBuffer[..<count]).bytes) {
                case .more: continue
                case .plain:
                    fail(connection, .client, reason: "it does not begin with a TLS ClientHello")
                    return false
                case .hello(let hello):
                    securing.hello = hello
                    securing.phase = .dialing
                    return true
                }
            case .wouldBlock: return false
            case .end:
                fail(connection, .client, TLSFailure.ended)
                return false
            case .failed(let error):
                fail(connection, .client, reason: "\(error)")
                return false
            }
        }
        return false
    }

    /// Begins the server's handshake, or the client's, once the server is connected.
    private func reach(_ securing: Securing, _ connection: TCPConnection) -> Bool {
        let isConnected = connection.legs.server.isOpen && !connection.legs.server.isEstablishing
        guard connection.flow.isEcho || isConnected, connection.flow.isOpen else { return false }
        guard securing.security.server, let server = connection.flow.path.server else {
            return beginClient(securing, connection)
        }
        do throws(TLSFailure) {
            securing.phase = .server(SecuredLeg(try securing.makeServerEnd(server), scratch))
            return true
        } catch {
            fail(connection, .server, error)
            return false
        }
    }

    private func shakeServer(_ securing: Securing, _ leg: SecuredLeg, _ connection: TCPConnection) -> Bool {
        let progress = leg.handshake(&connection.legs.server)
        securing.services.note(keys: leg.end.takeKeys())
        switch progress {
        case .waits: return false
        case .failed(let failure):
            fail(connection, .server, failure)
            return false
        case .done:
            securing.server = leg
            securing.certificate = leg.end.peerCertificate
            return beginClient(securing, connection)
        }
    }

    private func beginClient(_ securing: Securing, _ connection: TCPConnection) -> Bool {
        guard securing.security.client else {
            finish(securing, nil, connection)
            return false
        }
        do throws(TLSSetupError) {
            securing.phase = .client(
                SecuredLeg(try securing.makeClientEnd(at: connection.flow.path.listener), scratch)
            )
            return true
        } catch {
            fail(connection, .client, reason: "\(error)")
            return false
        }
    }

    private func shakeClient(_ securing: Securing, _ leg: SecuredLeg, _ connection: TCPConnection) -> Bool {
        let held = securing.gate.bytes
        if !held.isEmpty { securing.gate = HelloGate() }
        let progress = leg.handshake(&connection.legs.client, held: held)
        securing.services.note(keys: leg.end.takeKeys())
        switch progress {
        case .waits: return false
        case .failed(let failure):
            fail(connection, .client, failure)
            return false
        case .done:
            finish(securing, leg, connection)
            return false
        }
    }

    /// Begins the flow's bytes.
    private func finish(_ securing: Securing, _ client: SecuredLeg?, _ connection: TCPConnection) {
        connection.legs.securing = nil
        connection.legs.client.secured = client
        connection.legs.server.secured = securing.server
        host.dispatch(connection, .tls(.secured(securing.record(client: client, at: loop.now().instant))))
        guard !connection.isClosed else { return }
        // What came with the handshakes may be all that comes.
        for direction in Direction.allCases where connection[source: direction].isOpen {
            connection[source: direction].isReadable = true
        }
        markReady(connection)
    }

    // MARK: - Failures

    /// Ends a flow whose TLS has failed: the other side gets an alert or an end.
    func fail(_ connection: TCPConnection, _ leg: FlowLeg, _ failure: TLSFailure) {
        if leg == .server, connection.legs.securing != nil { tellClient(connection, failure) }
        fail(connection, leg, reason: "\(failure)", advice: advice(leg, failure, connection))
    }

    private func fail(_ connection: TCPConnection, _ leg: FlowLeg, reason: String, advice: String? = nil) {
        host.dispatch(connection, .tls(.failed(TLSFailureRecord(leg: leg, reason: reason, advice: advice))))
    }

    /// Sends the client, which waits with its ClientHello, what the server's side has met.
    private func tellClient(_ connection: TCPConnection, _ failure: TLSFailure) {
        guard connection.legs.securing?.security.client == true, connection.legs.client.isOpen else { return }
        let alert: TLSAlert =
            switch failure {
            case .alertReceived(let alert): alert
            case .unverified: .badCertificate
            case .protocolError, .ended, .noMemory: .handshakeFailure
            }
        _ = alert.record.withUnsafeBytes { connection.legs.client.writeBytes($0) }
    }

    private func advice(_ leg: FlowLeg, _ failure: TLSFailure, _ connection: TCPConnection) -> String? {
        switch (leg, failure) {
        case (.server, .unverified):
            return "--tls-upstream-ca FILE trusts another CA, --tls-insecure-upstream any server"
        case (.client, .alertReceived(let alert)) where TLSAlert.distrust.contains(alert):
            let path = loop.shared.configuration.tls?.certificatePath ?? "the CA"
            return "the client does not trust \(path), or pins another certificate; see: weir ca trust"
        case (.client, .ended): return "the client may not trust the CA; see: weir ca trust"
        default: return nil
        }
    }
}

extension TLSAlert {
    /// The alerts of clients that do not trust a certificate.
    fileprivate static let distrust: Set<TLSAlert> = [.unknownAuthority, .badCertificate, .certificateUnknown]
}

extension TCPConnection {
    /// Half-closes a direction's receiver as its source ended; returns false if no TLS is concerned.
    func finishAsItEnded(_ direction: Direction) -> Bool {
        let source = self[source: flow.isEcho ? .upstream : direction].secured
        guard source != nil || self[source: direction.opposite].secured != nil else { return false }
        let (says, closes): (Bool, Bool) =
            switch source?.ending {
            case .closeNotify: (true, self[source: direction].hasSeenFIN)
            case .truncated: (false, true)
            case nil: (true, true)
            }
        finish(direction, says: says, closes: closes)
        return true
    }

    private func finish(_ direction: Direction, says: Bool, closes: Bool) {
        guard let receiver = self[source: direction.opposite].secured else {
            return self[source: direction.opposite].finish()
        }
        receiver.finish(&self[source: direction.opposite], says: says, closes: closes)
    }

    /// Passes on the FIN that follows a side's close_notify.
    func passFIN(_ direction: Direction) {
        guard self[source: direction].secured?.ending == .closeNotify,
            let receiver = self[source: direction.opposite].secured,
            receiver.hasFinished, self[source: direction.opposite].isOpen
        else { return }
        receiver.finish(&self[source: direction.opposite], says: false, closes: true)
    }

    /// Says the end to the sides that have not been told, before they are closed; a side whose source was cut is only closed.
    func sayEnds(_ reason: CloseReason) {
        switch reason {
        case .finished, .idle, .evicted, .requested, .toxic, .tls: break
        case .clientReset, .serverReset, .refused, .shutdown: return
        }
        if let securing = legs.securing, case .client = securing.phase { legs.server.secured = securing.server }
        for direction in Direction.allCases {
            guard self[source: direction.opposite].isOpen, let receiver = self[source: direction.opposite].secured,
                !receiver.hasFinished, self[source: direction].secured?.ending != .truncated
            else { continue }
            receiver.finish(&self[source: direction.opposite], says: true, closes: true)
        }
    }
}
#endif
