#if TLS
import WeirEngine
import WeirTLS
public import WeirWire

/// The settings of connections with TLS that this program makes for itself, as `weir connect` does.
public struct TLSClient: Sendable {
    private let context: TLSContext
    /// The certificate for a server that asks for one; nil for none.
    let certificate: TLSCertificate?
    private let verifiesServers: Bool
    private let keyLog: KeyLogFile?
    /// The server, by the name or the address that its certificate must have.
    private let server: HostPort.Host
    /// The protocols that are offered (ALPN), in their order.
    private let protocols: [String]

    /// Makes the settings.
    ///
    /// - Parameters:
    ///   - settings: the settings; those of the CA, and the server's name, are not used.
    ///   - server: the server: a name, which it is told (SNI), or an address.
    ///   - protocols: the protocols that are offered (ALPN), in their order.
    /// - Throws: `TLSServicesError`.
    public init(
        _ settings: TLSServices.Settings,
        server: HostPort.Host,
        protocols: [String] = []
    ) throws(TLSServicesError) {
        do throws(TLSSetupError) {
            let trust = settings.trust
            context = try TLSContext(
                TLSSettings(
                    versions: try settings.versions(of: "server"),
                    ciphers: settings.ciphers,
                    isLegacy: settings.isLegacy,
                    trust: trust
                )
            )
            certificate = try settings.clientCertificate.map { path throws(TLSSetupError) in
                try TLSCertificate(file: path)
            }
            verifiesServers = trust != nil
            keyLog = try settings.keyLog.map { path throws(TLSSetupError) in try KeyLogFile(path) }
        } catch {
            throw TLSServicesError(error)
        }
        (self.server, self.protocols) = (server, protocols)
    }

    /// The server's name; nil if only its address is known.
    private var name: String? {
        guard case .name(let name) = server else { return nil }
        return name.hasSuffix(".") ? String(name.dropLast()) : name
    }

    private var verifiedName: String? {
        guard case .address(let address) = server else { return name }
        // A certificate has no zone.
        let whole = address.unmapped
        return whole.isV4 ? "\(whole)" : "\(IPAddress(v6: whole.high, low: whole.low))"
    }

    /// Makes the end of one connection.
    func makeEnd() throws(TLSFailure) -> TLSEnd {
        try TLSEnd(
            client: context,
            serverName: name,
            verifiedName: verifiedName,
            protocols: protocols.map { Array($0.utf8) }
        )
    }

    /// Appends the secrets of a connection to the key log, if there is one.
    func note(keys lines: [String]) { _ = keyLog?.append(lines) }

    /// Returns what a handshake agreed on.
    func record(of end: TLSEnd, since began: Instant) -> SecuredRecord {
        SecuredRecord(
            serverName: name,
            applicationProtocol: end.chosenProtocol.map { String(decoding: $0, as: UTF8.self) },
            server: SecuredSide(end),
            certificate: end.peerCertificate.map { ServerCertificate($0, isVerified: verifiesServers) },
            duration: began.duration(to: SystemClock.instant())
        )
    }
}

/// The reason why TLS with a server failed.
public struct TLSClientError: Error, Hashable, CustomStringConvertible {
    /// The server.
    public var peer: Endpoint
    /// The reason in a few words.
    public var reason: String
    /// What the user can do about it; nil if nothing is known.
    public var advice: String?

    /// The error in one line.
    public var description: String { "TLS with \(peer) failed: \(reason)" + (advice.map { "; \($0)" } ?? "") }

    init(_ peer: Endpoint, _ failure: TLSFailure) {
        (self.peer, reason, advice) = (peer, "\(failure)", failure.adviceOnServer)
    }

    init(_ peer: Endpoint, _ reason: String, advice: String? = nil) {
        (self.peer, self.reason, self.advice) = (peer, reason, advice)
    }
}
#endif
