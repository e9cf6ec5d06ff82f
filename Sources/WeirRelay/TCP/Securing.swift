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
        case client(SecuredLeg)
    }

    let security: RouteSecurity
    let services: TLSServices
    /// The name of the route's target, if it is one.
    let targetName: String?
    var phase: Phase
    var gate = HelloGate()
    var hello: ClientHello?
    /// The server's side, once its handshake is complete.
    var server: SecuredLeg?
    var certificate: X509Certificate?
    /// The name by which the server is verified.
    private(set) var verifiedName: String?
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
        phase = security.client ? .hello : .dialing
    }

    /// Makes the end to the server.
    func makeServerEnd(_ server: Endpoint) throws(TLSFailure) -> TLSEnd {
        // An address is never sent as a name.
        let asked = hello?.serverName.flatMap { AlternativeName.host($0.lowercased()).isPlain ? $0 : nil } ?? targetName
        verifiedName = asked ?? "\(server.address.unmapped)"
        return try TLSEnd(
            client: services.serverSide,
            serverName: asked,
            verifiedName: verifiedName,
            protocols: hello?.protocols ?? []
        )
    }

    /// Makes the end to the client, with a certificate for what is known now.
    func makeClientEnd(at listener: Endpoint) throws(TLSSetupError) -> TLSEnd {
        var names: [AlternativeName] = []
        func add(_ name: AlternativeName) { if name.isPlain, !names.contains(name) { names.append(name) } }
        if let name = hello?.serverName { add(.host(Self.plain(name))) }
        for name in certificate?.alternativeNames ?? [] { add(name) }
        if let targetName { add(.host(Self.plain(targetName))) }
        add(.address(listener.address.unmapped.octets))
        if listener.address.unmapped.isLoopback { add(.host("localhost")) }
        let leaf = try services.leaf(for: names, takesECDSA: hello?.takesECDSA ?? true)
        do throws(TLSFailure) {
            return try TLSEnd(server: services.clientSide, certificate: leaf, choosing: chosenProtocol)
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
        return SecuredRecord(
            serverName: hello?.serverName ?? (security.client ? nil : targetName),
            applicationProtocol: end?.chosenProtocol.map { String(decoding: $0, as: UTF8.self) },
            client: client.map { SecuredSide($0.end) },
            server: server.map { SecuredSide($0.end) },
            certificate: certificate.map { certificate in
                ServerCertificate(
                    subject: certificate.subject,
                    issuer: certificate.issuer,
                    fingerprint: certificate.fingerprint.hexadecimal,
                    isVerified: services.verifiesServers
                )
            },
            fingerprint: hello?.fingerprint,
            duration: began.duration(to: now)
        )
    }
}

extension SecuredSide {
    fileprivate init(_ end: TLSEnd) {
        self.init(version: end.version.map { "\($0)" } ?? "TLS", cipher: end.cipher ?? "", group: end.group)
    }
}

extension IPAddress {
    /// The address as 4 or 16 bytes.
    package var octets: [UInt8] {
        isV4
            ? withUnsafeBytes(of: v4.bigEndian) { Array($0) }
            : withUnsafeBytes(of: high.bigEndian) { Array($0) } + withUnsafeBytes(of: low.bigEndian) { Array($0) }
    }
}
#endif
