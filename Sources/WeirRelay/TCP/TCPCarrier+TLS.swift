#if TLS
import Glibc
import WeirDissect
import WeirEngine
import WeirTLS
import WeirWire

/// The handshakes of flows with TLS, and their ends.
extension TCPCarrier {
    /// How long a turn may work on handshakes: no other flow moves meanwhile.
    ///
    /// A step that has begun is done.
    private static let workPerTurn = Duration.microseconds(500)
    /// The time between two looks whether a key is made.
    private static let keyPause = Duration.milliseconds(10)

    /// Records what is on the wire of a new flow, if its route may have TLS and an output wants it.
    func prepareWire(_ connection: TCPConnection) {
        guard loop.shared.hub.wantsWire, loop.shared.targets.security(of: connection.route) != .plain else { return }
        let tap = WireTap(client: connection.flow, on: loop)
        connection.legs.wire = tap
        connection.legs.client.wire = tap
    }

    /// Gives a new flow its handshakes, if its route has TLS, or what looks for them.
    func prepareSecuring(_ connection: TCPConnection) {
        let security = loop.shared.targets.security(of: connection.route)
        guard security != .plain, let services = loop.shared.tls else { return }
        guard security.client != .automatic else {
            connection.legs.watch = TLSWatch(followsServer: security.server == .automatic)
            return
        }
        let (now, deadline) = securingTimes
        let name = loop.shared.targets[connection.route]?.name
        start(Securing(security, services, targetName: name, at: now, until: deadline), connection)
    }

    /// Now, and the time by which handshakes that begin now must be complete.
    var securingTimes: (now: Instant, deadline: Instant) {
        let now = loop.now().instant
        return (now, now.advanced(by: loop.shared.configuration.connectTimeout))
    }

    func start(_ securing: Securing, _ connection: TCPConnection) {
        connection.legs.securing = securing
        loop.timers.insert(connection.token(.flowTimer), due: securing.deadline)
    }

    /// Ends a flow whose handshakes take too long, and lets the bytes go on that were held too long.
    func securingIsLate(_ connection: TCPConnection) {
        heldIsLate(connection)
        guard let securing = connection.legs.securing else { return }
        guard loop.now().instant >= securing.deadline else {
            if case .key = securing.phase { secure(connection) }
            return
        }
        let leg: FlowLeg = if case .server = securing.phase { .server } else { .client }
        fail(connection, leg, reason: "the handshake was not complete in time")
    }

    /// Goes on with a flow's handshakes, as far as they can.
    func secure(_ connection: TCPConnection) {
        while let securing = connection.legs.securing, !connection.isClosed {
            guard handshakeWork < Self.workPerTurn else { return postpone(connection) }
            let began = SystemClock.instant()
            connection.flow.touch(at: began)
            let goesOn =
                switch securing.phase {
                case .hello: hear(securing, connection)
                case .dialing: reach(securing, connection)
                case .key: beginClient(securing, connection)
                case .server(let leg): shakeServer(securing, leg, connection)
                case .client(let leg): shakeClient(securing, leg, connection)
                }
            handshakeWork += began.duration(to: SystemClock.instant())
            guard goesOn else { return }
        }
    }

    /// Goes on with a flow's handshakes in the next turn.
    func postpone(_ connection: TCPConnection) {
        guard let securing = connection.legs.securing, !securing.isPostponed else { return }
        securing.isPostponed = true
        postponed.append(connection)
    }

    /// Goes on with the handshakes that had to wait, in their order.
    func continueSecuring() {
        handshakeWork = .zero
        guard !postponed.isEmpty else { return }
        let waiting = postponed
        postponed = []
        for (index, connection) in waiting.enumerated() {
            guard handshakeWork < Self.workPerTurn else {
                postponed = waiting[index...] + postponed
                return
            }
            connection.legs.securing?.isPostponed = false
            if !connection.isClosed { secure(connection) }
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
                    let advice = "a route with auto: takes plain bytes, too, one with tcp: those alone"
                    fail(connection, .client, reason: "it does not begin with a TLS ClientHello", advice: advice)
                    return false
                case .hello(let hello):
                    securing.hello = hello
                    securing.phase = .dialing
                    return true
                }
            case .wouldBlock: return false
            case .end:
                fail(connection, .client, reason: "it ended before its ClientHello was whole")
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
        guard connection.flow.isEcho || isConnected, connection.flow.isOpen, connection.flow.hasEmptyQueues else {
            return false
        }
        if bypasses(securing, connection) { return false }
        guard securing.security.server == .tls, let server = connection.flow.path.server else {
            return beginClient(securing, connection)
        }
        do throws(TLSFailure) {
            let end = try securing.makeServerEnd(server)
            securing.phase = .server(
                SecuredLeg(end, scratch, securing.services, wantsHello: securing.ownFingerprint == nil)
            )
            return true
        } catch {
            fail(connection, .server, error)
            return false
        }
    }

    private func shakeServer(_ securing: Securing, _ leg: SecuredLeg, _ connection: TCPConnection) -> Bool {
        let progress = leg.handshake(&connection.legs.server)
        switch progress {
        case .waits: return false
        case .failed(let failure):
            fail(connection, .server, failure)
            return false
        case .wantsCertificate:
            noteServer(leg, securing)
            let asksClient = securing.security.client == .tls && securing.services.asksClients
            return asksClient ? beginClient(securing, connection) : answerServer(securing, leg, nil, connection)
        case .done:
            noteServer(leg, securing)
            guard let client = securing.client else { return beginClient(securing, connection) }
            finish(securing, client, connection)
            return false
        }
    }

    private func noteServer(_ leg: SecuredLeg, _ securing: Securing) {
        securing.server = leg
        securing.certificate = leg.end.peerCertificate
        securing.note(ownFingerprint: leg.ownFingerprint)
    }

    /// Gives the server the certificate that it has asked for, and goes on with its handshake.
    private func answerServer(
        _ securing: Securing,
        _ leg: SecuredLeg,
        _ client: X509Certificate?,
        _ connection: TCPConnection
    ) -> Bool {
        do throws(TLSSetupError) {
            let (certificate, facts) = try securing.services.certificate(inTheNameOf: client)
            guard leg.end.answer(with: certificate) else { throw TLSSetupError("no memory") }
            securing.clientCertificate = facts
            securing.phase = .server(leg)
            return true
        } catch {
            fail(connection, .server, reason: "\(error)")
            return false
        }
    }

    private func beginClient(_ securing: Securing, _ connection: TCPConnection) -> Bool {
        guard securing.security.client == .tls else {
            finish(securing, nil, connection)
            return false
        }
        do throws(TLSSetupError) {
            guard let end = try securing.makeClientEnd(at: connection.flow.path.listener) else {
                securing.phase = .key
                loop.timers.insert(connection.token(.flowTimer), due: loop.now().instant.advanced(by: Self.keyPause))
                return false
            }
            if let server = securing.server, server.end.waitsForCertificate { end.askForCertificate(as: server.end) }
            connection.legs.client.giveBack(securing.gate.bytes)
            securing.gate = HelloGate()
            securing.phase = .client(SecuredLeg(end, scratch, securing.services))
            return true
        } catch {
            fail(connection, .client, reason: "\(error)")
            return false
        }
    }

    private func shakeClient(_ securing: Securing, _ leg: SecuredLeg, _ connection: TCPConnection) -> Bool {
        let progress = leg.handshake(&connection.legs.client)
        switch progress {
        case .waits, .wantsCertificate: return false
        case .failed(let failure):
            noteRefusal(securing, failure, connection)
            fail(connection, .client, failure)
            return false
        case .done:
            if let server = securing.server, server.end.waitsForCertificate {
                securing.client = leg
                return answerServer(securing, server, leg.end.peerCertificate, connection)
            }
            finish(securing, leg, connection)
            return false
        }
    }

    /// Begins the flow's bytes.
    private func finish(_ securing: Securing, _ client: SecuredLeg?, _ connection: TCPConnection) {
        connection.legs.securing = nil
        connection.legs.watch = nil
        connection.legs.client.secured = client
        connection.legs.server.secured = securing.server
        if securing.server != nil { client?.pin = securing.pair(connection.flow.path) }
        host.dispatch(connection, .tls(.secured(securing.record(client: client, at: loop.now().instant))))
        guard !connection.isClosed else { return }
        // What came with the handshakes may be all that comes.
        for direction in Direction.allCases where connection[source: direction].isOpen {
            connection[source: direction].isReadable = true
        }
        markReady(connection)
    }
}
#endif
