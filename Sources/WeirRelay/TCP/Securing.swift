#if TLS
import WeirDissect
import WeirEngine
import WeirTLS
import WeirWire

/// The handshakes of one flow, which precede its bytes.
///
/// The client's ClientHello is held until the server's handshake is complete: only then is known for which names the client needs a
/// certificate, and which application protocol was chosen.
final class Securing {
    /// How far the handshakes are.
    enum Phase {
        /// The client's ClientHello has not come whole.
        case hello
        /// The server is not connected yet.
        case dialing
        case server(SecuredLeg)
        /// The key of the client's certificate is being made.
        case key
        case client(SecuredLeg)
    }

    /// What both sides speak, once it is known.
    let security: RouteSecurity
    let services: TLSServices
    /// The name of the route's target, if it is one.
    let targetName: String?
    var phase: Phase
    /// Whether the next turn goes on with it.
    var isPostponed = false
    var gate = HelloGate()
    var hello: ClientHello?
    /// The server's side, once its handshake is complete, or waits for the client's certificate.
    var server: SecuredLeg?
    /// The client's side, once its handshake is complete, if the server's waits for the client's certificate.
    var client: SecuredLeg?
    /// What the server got as the client's certificate, if it has asked for one.
    var clientCertificate: ClientCertificate?
    /// The bytes that went before, in plain.
    var plainBytes: PlainBytes?
    var certificate: X509Certificate?
    /// The fingerprint of the relay's own ClientHello.
    private(set) var ownFingerprint: String?
    private var ownHello: OwnHello?
    let deadline: Instant
    private let began: Instant

    init(
        _ security: RouteSecurity,
        _ services: TLSServices,
        targetName: String?,
        at now: Instant,
        until deadline: Instant
    ) {
        (self.security, self.services, self.targetName) = (security, services, targetName)
        (self.deadline, began) = (deadline, now)
        phase = security.client == .tls ? .hello : .dialing
    }

    /// Makes handshakes that begin with a ClientHello that has come already, after some plain bytes.
    convenience init(
        _ security: RouteSecurity,
        _ services: TLSServices,
        targetName: String?,
        at now: Instant,
        until deadline: Instant,
        with gate: HelloGate,
        _ hello: ClientHello,
        after plain: PlainBytes
    ) {
        self.init(security, services, targetName: targetName, at: now, until: deadline)
        (self.gate, self.hello, phase) = (gate, hello, .dialing)
        if plain.upstream + plain.downstream > 0 { plainBytes = plain }
    }

    /// The name that the client asks for, in lower case, if it is a plain one.
    private var askedName: String? {
        guard let name = hello?.serverName.map(Self.plain), AlternativeName.host(name).isPlain, !name.hasPrefix("*")
        else {
            return nil
        }
        return name
    }

    /// The client, and the name by which it is decided whether its flow is decrypted.
    func pair(_ path: FlowPath) -> PinMemory.Pair {
        let address = (path.server ?? path.listener).address.unmapped
        return PinMemory.Pair(
            client: path.client.address,
            name: askedName ?? targetName.map(Self.plain) ?? "\(address)"
        )
    }

    /// Makes the end to the server.
    func makeServerEnd(_ server: Endpoint) throws(TLSFailure) -> TLSEnd {
        // An address is never sent as a name.
        let name = services.serverName ?? askedName ?? targetName
        let offered: [[UInt8]] =
            switch services.protocols {
            case .mirrored: hello?.protocols ?? []
            case .list(let names): names
            }
        let hello = OwnHello(hasName: name != nil, protocols: offered)
        (ownHello, ownFingerprint) = (hello, services.ownFingerprints.withLock { $0[hello] })
        return try TLSEnd(
            client: services.serverSide,
            serverName: name,
            verifiedName: name ?? "\(server.address.unmapped)",
            protocols: offered
        )
    }

    /// Notes the fingerprint of the ClientHello that the server got, for the next ones, too.
    func note(ownFingerprint: String?) {
        guard let ownHello, let ownFingerprint else { return }
        self.ownFingerprint = ownFingerprint
        services.ownFingerprints.withLock { known in
            // Clients choose the protocols: a flood of them is forgotten.
            if known.count >= 100 { known = [:] }
            known[ownHello] = ownFingerprint
        }
    }

    /// Makes the end to the client, with a certificate for what is known now; nil if its key is being made.
    func makeClientEnd(at listener: Endpoint) throws(TLSSetupError) -> TLSEnd? {
        if let own = services.ownCertificate(for: askedName ?? targetName) { return try makeClientEnd(own) }
        var names: [AlternativeName] = []
        func add(_ name: AlternativeName) { if name.isPlain, !names.contains(name) { names.append(name) } }
        if let name = askedName { add(.host(name)) }
        for name in certificate?.alternativeNames ?? [] { add(name) }
        if let targetName { add(.host(Self.plain(targetName))) }
        add(.address(listener.address.unmapped.octets))
        if listener.address.unmapped.isLoopback { add(.host("localhost")) }
        let leaf = try services.leaf(for: names, takesECDSA: hello?.takesECDSA ?? true)
        return try leaf.map(makeClientEnd)
    }

    private func makeClientEnd(_ certificate: TLSCertificate) throws(TLSSetupError) -> TLSEnd {
        do throws(TLSFailure) {
            return try TLSEnd(server: services.clientSide, certificate: certificate, choosing: chosenProtocol)
        } catch {
            throw TLSSetupError("\(error)")
        }
    }

    private static func plain(_ name: String) -> String {
        let name = name.lowercased()
        return name.hasSuffix(".") ? String(name.dropLast()) : name
    }

    /// The protocol for the client: the server's choice; of a server without TLS HTTP/1.1, if the client offers it.
    private var chosenProtocol: [UInt8]? {
        if let server { return server.end.chosenProtocol }
        let plain = Array("http/1.1".utf8)
        return hello?.protocols.contains(plain) == true ? plain : nil
    }

    /// Returns the record of the handshakes, now that they are complete.
    func record(client: SecuredLeg?, at now: Instant) -> SecuredRecord {
        let end = server?.end ?? client?.end
        var record = SecuredRecord(
            serverName: hello?.serverName ?? (security.client == .tls ? nil : targetName),
            applicationProtocol: end?.chosenProtocol.map { String(decoding: $0, as: UTF8.self) },
            client: client.map { SecuredSide($0.end) },
            server: server.map { SecuredSide($0.end) },
            certificate: certificate.map { ServerCertificate($0, isVerified: services.verifiesServers) },
            fingerprint: hello?.fingerprint,
            duration: began.duration(to: now)
        )
        (record.ownFingerprint, record.clientCertificate) = (ownFingerprint, clientCertificate)
        record.hasEncryptedHello = hello?.hasEncryptedHello ?? false
        record.plainBytes = plainBytes
        return record
    }
}

extension ServerCertificate {
    /// Describes a certificate that a server has shown.
    init(_ certificate: X509Certificate, isVerified: Bool) {
        self.init(
            subject: certificate.subject,
            issuer: certificate.issuer,
            fingerprint: certificate.fingerprint.hexadecimal,
            isVerified: isVerified
        )
    }
}

extension SecuredSide {
    init(_ end: TLSEnd) {
        self.init(version: end.version.map { "\($0)" } ?? "TLS", cipher: end.cipher ?? "", group: end.group)
    }
}
#endif
