#if TLS
import WeirDissect
import WeirEngine
import WeirTLS
import WeirWire

/// What becomes of flows whose TLS fails, and of those of clients that refuse the certificate.
extension TCPCarrier {
    /// Ends a flow whose TLS has failed: the other side gets an alert or an end.
    func fail(_ connection: TCPConnection, _ leg: FlowLeg, _ failure: TLSFailure) {
        if leg == .server, connection.legs.securing != nil { tellClient(connection, failure) }
        fail(connection, leg, reason: "\(failure)", advice: advice(leg, failure, connection))
    }

    func fail(_ connection: TCPConnection, _ leg: FlowLeg, reason: String, advice: String? = nil) {
        host.dispatch(connection, .tls(.failed(TLSFailureRecord(leg: leg, reason: reason, advice: advice))))
    }

    /// Sends the client, which waits with its ClientHello, what the server's side has met.
    private func tellClient(_ connection: TCPConnection, _ failure: TLSFailure) {
        // A client whose own handshake has begun could not read it.
        guard let securing = connection.legs.securing, securing.security.client == .tls, securing.client == nil,
            connection.legs.client.isOpen
        else { return }
        let alert: TLSAlert =
            switch failure {
            case .alertReceived(let alert): alert
            case .unverified: .badCertificate
            case .protocolError, .ended, .noMemory: .handshakeFailure
            }
        _ = alert.record.withUnsafeBytes { connection.legs.client.writeBytes($0) }
    }

    private func advice(_ leg: FlowLeg, _ failure: TLSFailure, _ connection: TCPConnection) -> String? {
        guard leg == .client else { return failure.adviceOnServer }
        let name =
            connection.legs.securing?.pair(connection.flow.path).name ?? connection.legs.client.secured?.pin?.name
        return failure.adviceOnClient(loop.shared.tls?.certificatePath ?? "the CA", name ?? "NAME")
    }

    // MARK: - Clients that refuse the certificate

    /// Lets a flow's bytes go on as they come, if it is not to be decrypted; returns whether that is so.
    func bypasses(_ securing: Securing, _ connection: TCPConnection) -> Bool {
        guard securing.security.client == .tls, securing.security.server == .tls else { return false }
        let pair = securing.pair(connection.flow.path)
        guard let reason = securing.services.bypass(pair, at: loop.now().instant) else { return false }
        connection.legs.securing = nil
        connection.legs.watch = nil
        connection.legs.client.giveBack(securing.gate.bytes)
        let fingerprint = securing.hello?.fingerprint
        let record = BypassRecord(name: pair.name, reason: reason, fingerprint: fingerprint)
        host.dispatch(connection, .tls(.bypassed(record)))
        markReady(connection)
        return true
    }

    /// Notes that a client has refused the certificate, if its failure says so.
    func noteRefusal(_ securing: Securing, _ failure: TLSFailure, _ connection: TCPConnection) {
        switch failure {
        case .alertReceived(let alert) where TLSAlert.distrust.contains(alert): break
        case .ended: break
        default: return
        }
        guard securing.security.server == .tls else { return }
        let now = loop.now().instant
        securing.services.pins.withLock { $0.noteRefusal(securing.pair(connection.flow.path), at: now) }
    }

    /// Notes that a client has ended without a byte after its handshake, as those do that pin a certificate.
    func noteUnused(_ connection: TCPConnection, _ direction: Direction) {
        guard direction == .upstream, let client = connection.legs.client.secured, let pin = client.pin,
            !client.hasCarried, client.ending != nil, let services = loop.shared.tls
        else { return }
        let now = loop.now().instant
        services.pins.withLock { $0.noteRefusal(pin, at: now) }
        let way = TLSFailure.wayAround(pin.name)
        let advice = "it may not trust the CA (see: weir ca trust), or pin another certificate: \(way)"
        host.dispatch(connection, .tls(.unused(advice: advice)))
    }

    /// Notes at the end of a flow that its client has taken the certificate, if it has.
    func noteTrust(_ connection: TCPConnection) {
        guard let client = connection.legs.client.secured, let pin = client.pin, client.hasCarried else { return }
        loop.shared.tls?.pins.withLock { $0.noteTrust(pin) }
    }
}
#endif
