#if TLS
import Synchronization
import WeirEngine
import WeirTLS
import WeirWire

/// What flows with TLS share: the settings of both sides, and the certificates that clients see.
public final class TLSServices: Sendable {
    /// The settings of the side to clients, where Weir is the server.
    let clientSide: TLSContext
    /// The settings of the side to servers, where Weir is the client.
    let serverSide: TLSContext
    let verifiesServers: Bool
    private let authority: Authority
    private let key: PrivateKey
    private let rsaKey = LateKey()
    /// The fingerprints (JA4) of the ClientHellos that servers get, by all that they depend on.
    let ownFingerprints = Lock<[OwnHello: String]>([:])
    let leaves = Lock(LeafCache<TLSCertificate>())
    private let ownCertificates: [OwnCertificate]
    private let clientCertificate: TLSCertificate?
    let policy: TLSPolicy
    /// Whether the flows of clients that pin another certificate are not decrypted.
    let passesPins: Bool
    let pins = Lock(PinMemory())
    let protocols: Protocols
    /// The name that servers are told; nil for the client's or the target's.
    let serverName: String?
    private let keyLog: KeyLogFile?
    private let keyLogReport = Lock<(@Sendable (String) -> Void)?>(nil)
    /// Others to whom each connection's secrets are told.
    private let keyReceivers = Lock<[@Sendable ([String]) -> Void]>([])
    /// The path of the CA's certificate, which clients must trust.
    public let certificatePath: String
    /// Whether the CA was made now.
    public let isNew: Bool

    /// Reads the CA, or makes it.
    ///
    /// - Parameters:
    ///   - settings: the settings.
    ///   - host: this machine's name.
    ///   - variable: returns the value of a variable of the environment.
    /// - Throws: `TLSServicesError`.
    public init(_ settings: Settings, host: String, variable: (String) -> String?) throws(TLSServicesError) {
        do throws(TLSSetupError) {
            let (clients, servers) = (try settings.versions(of: "client"), try settings.versions(of: "server"))
            policy = try TLSPolicy(only: settings.only, excepted: settings.excepted)
            (passesPins, serverName) = (settings.passesPins, settings.serverName)
            protocols = try Protocols(settings.protocols)
            var own: [OwnCertificate] = []
            for text in settings.certificates { own.append(try OwnCertificate(text)) }
            ownCertificates = own
            clientCertificate = try settings.clientCertificate.map { path throws(TLSSetupError) in
                try TLSCertificate(file: path)
            }
            let store: AuthorityStore
            if let folder = settings.authorityFolder {
                store = AuthorityStore(folder: folder)
            } else {
                store = try AuthorityStore(variable: variable)
            }
            (authority, isNew) = try store.loadOrMake(host: host, at: Self.now)
            certificatePath = store.certificatePath
            let trust = settings.trust
            let (ciphers, isLegacy) = (settings.ciphers, settings.isLegacy)
            var side = TLSSettings(versions: clients, ciphers: ciphers, isLegacy: isLegacy)
            side.keepsKeys = settings.keyLog != nil
            clientSide = try TLSContext(side)
            (side.versions, side.trust) = (servers, trust)
            serverSide = try TLSContext(side)
            verifiesServers = trust != nil
            key = try PrivateKey(.p256)
            keyLog = try settings.keyLog.map { path throws(TLSSetupError) in try KeyLogFile(path) }
        } catch {
            throw TLSServicesError(error)
        }
    }

    /// In how many days the CA expires; below 0 if it has.
    public var daysLeft: Int {
        Int((Double(authority.certificate.certificate.validity.upperBound - Self.now) / 86_400).rounded(.down))
    }

    private static var now: Int { Int(SystemClock.now().wallNanoseconds / 1_000_000_000) }

    /// Returns a certificate for a server's names, made now or before.
    ///
    /// - Parameters:
    ///   - names: the names and addresses.
    ///   - takesECDSA: whether the client verifies ECDSA.
    /// - Returns: the certificate; nil if its key is being made: ask again soon.
    /// - Throws: `TLSSetupError`.
    func leaf(for names: [AlternativeName], takesECDSA: Bool) throws(TLSSetupError) -> TLSCertificate? {
        let (now, slot) = (Self.now, LeafKey(names: names, isRSA: !takesECDSA))
        if let found = leaves.withLock({ $0.find(slot, at: now) }) { return found }
        guard let key = takesECDSA ? key : try rsaKey.take() else { return nil }
        let made = try authority.leaf(for: names, key: key, at: now)
        // It is made anew after half of its life.
        let renewal = (now + made.certificate.validity.upperBound) / 2
        leaves.withLock { $0.keep(made, slot, until: renewal) }
        return made
    }

    /// Returns the user's own certificate for a server's name; nil if there is none.
    func ownCertificate(for name: String?) -> TLSCertificate? {
        let name = (name ?? "").utf8
        let found =
            ownCertificates.first { $0.pattern?.matches(name) == true } ?? ownCertificates.first { $0.pattern == nil }
        return found?.certificate
    }

    /// Returns the certificate for a server that asks for one.
    ///
    /// - Parameter client: the client's certificate; nil if it has none.
    /// - Returns: the user's, or one in the client's name, or nil for none; and what the record says.
    /// - Throws: `TLSSetupError`.
    func certificate(inTheNameOf client: X509Certificate?) throws(TLSSetupError) -> (TLSCertificate?, ClientCertificate)
    {
        if let clientCertificate {
            let subject = clientCertificate.certificate.subject
            return (clientCertificate, ClientCertificate(subject: subject, origin: .file))
        }
        guard let client else { return (nil, ClientCertificate(subject: nil, origin: .none)) }
        let made = try authority.certificate(inTheNameOf: client, key: key, at: Self.now)
        return (made, ClientCertificate(subject: client.subject, origin: .reissued))
    }

    /// Whether the certificate for servers that ask for one is the client's affair.
    var asksClients: Bool { clientCertificate == nil }

    /// Returns why a flow is not decrypted; nil if it is.
    func bypass(_ pair: PinMemory.Pair, at now: Instant) -> BypassRecord.Reason? {
        if let reason = policy.reason(for: pair.name) { return reason }
        guard passesPins, let refusals = pins.withLock({ $0.refusals(pair, at: now) }) else { return nil }
        return .pinned(refusals: refusals)
    }

    /// Adds a receiver of the secrets of all connections: lines of the NSS Key Log Format, before the bytes leave that they decrypt.
    ///
    /// It is called on the threads of event loops, and must not wait.
    public func whenKeysAreKnown(_ receive: @escaping @Sendable ([String]) -> Void) {
        keepKeys()
        keyReceivers.withLock { $0.append(receive) }
    }

    /// Calls a function once if the file of secrets cannot be written.
    func whenKeyLogFails(_ report: @escaping @Sendable (String) -> Void) { keyLogReport.withLock { $0 = report } }

    /// Keeps the secrets of connections for their records; call it before the first flow.
    func keepKeys() {
        clientSide.keepKeys()
        serverSide.keepKeys()
    }

    /// Appends the secrets of a connection to the key log, if there is one, and tells those who asked for them.
    func note(keys lines: [String]) {
        guard !lines.isEmpty else { return }
        if let problem = keyLog?.append(lines), let report = keyLogReport.withLock({ $0.take() }) {
            report("secrets are missing in the file of --tls-keylog: \(problem)")
        }
        for receive in keyReceivers.withLock({ $0 }) { receive(lines) }
    }
}

/// What the fingerprint of a ClientHello to a server depends on, besides the settings.
struct OwnHello: Hashable, Sendable {
    /// Whether it asks for a name (SNI).
    var hasName: Bool
    /// The protocols that are offered (ALPN).
    var protocols: [[UInt8]]
}

/// An error in the settings of TLS.
public struct TLSServicesError: Error, Hashable, CustomStringConvertible {
    /// The error in one line.
    public var description: String
    /// Whether a file cannot be read.
    public var isInput = false
    /// Whether a file or a folder cannot be made.
    public var isOutput = false

    init(_ description: String) { self.description = description }

    init(_ error: TLSSetupError) {
        (description, isInput, isOutput) = (error.description, error.kind == .input, error.kind == .output)
    }
}
#endif
