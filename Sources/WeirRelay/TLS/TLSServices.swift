#if TLS
import Synchronization
import WeirTLS
import WeirWire

/// What flows with TLS share: the settings of both sides, and the certificates that clients see.
public final class TLSServices: Sendable {
    /// The settings.
    public struct Settings: Hashable, Sendable {
        /// The folder of the CA; nil for the user's own.
        public var authorityFolder: String?
        /// The file with the certificates by which servers are verified; nil for the system's.
        public var serverTrust: String?
        /// Whether servers are not verified.
        public var trustsEveryServer = false
        /// The lowest version, as in `1.2`.
        public var lowestVersion = "1.2"
        /// The highest version.
        public var highestVersion = "1.3"
        /// The file to which the secrets of all connections are appended, for Wireshark; nil for none.
        public var keyLog: String?

        /// Creates the defaults.
        public init() {}
    }

    private struct Leaf {
        var certificate: TLSCertificate
        var renewal: Int
        var used: UInt64
    }

    private struct Cache {
        var leaves: [LeafKey: Leaf] = [:]
        var uses: UInt64 = 0
    }

    private struct LeafKey: Hashable {
        var names: [AlternativeName]
        var isRSA: Bool
    }

    /// The maximum number of certificates that are kept.
    private static let kept = 1000

    /// The settings of the side to clients, where Weir is the server.
    let clientSide: TLSContext
    /// The settings of the side to servers, where Weir is the client.
    let serverSide: TLSContext
    let verifiesServers: Bool
    private let authority: Authority
    private let key: PrivateKey
    /// The key for clients that take no ECDSA; making it takes a while, on a thread of its own.
    private let rsaKey = Lock<PrivateKey?>(nil)
    private let cache = Lock(Cache())
    private let keyLog: KeyLog?
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
            guard let lowest = TLSVersion(settings.lowestVersion), let highest = TLSVersion(settings.highestVersion),
                lowest <= highest
            else {
                let range = "from \(settings.lowestVersion) to \(settings.highestVersion)"
                throw TLSSetupError("there are no versions \(range): choose from 1.0, 1.1, 1.2 and 1.3")
            }
            let store: AuthorityStore
            if let folder = settings.authorityFolder {
                store = AuthorityStore(folder: folder)
            } else {
                store = try AuthorityStore(variable: variable)
            }
            (authority, isNew) = try store.loadOrMake(host: host, at: Self.now)
            certificatePath = store.certificatePath
            let trust: TLSTrust? = settings.trustsEveryServer ? nil : settings.serverTrust.map { .file($0) } ?? .system
            clientSide = try TLSContext(TLSSettings(versions: lowest...highest))
            serverSide = try TLSContext(TLSSettings(versions: lowest...highest, trust: trust))
            verifiesServers = trust != nil
            key = try PrivateKey(.p256)
            if let path = settings.keyLog {
                keyLog = try KeyLog(path)
            } else {
                keyLog = nil
            }
        } catch {
            throw TLSServicesError(error.description)
        }
        do throws(SystemError) {
            try startThread(named: "weir-rsa-key") { [rsaKey] in
                let made = try? PrivateKey(.rsa(bits: 2048))
                rsaKey.withLock { $0 = made }
            }
        } catch {
            throw TLSServicesError("\(error)")
        }
    }

    private static var now: Int { Int(SystemClock.now().wallNanoseconds / 1_000_000_000) }

    /// Returns a certificate for a server's names, made now or before.
    ///
    /// - Parameters:
    ///   - names: the names and addresses.
    ///   - takesECDSA: whether the client verifies ECDSA.
    /// - Returns: the certificate.
    /// - Throws: `TLSSetupError`.
    func leaf(for names: [AlternativeName], takesECDSA: Bool) throws(TLSSetupError) -> TLSCertificate {
        let (now, slot) = (Self.now, LeafKey(names: names, isRSA: !takesECDSA))
        let found = cache.withLock { cache -> TLSCertificate? in
            guard var leaf = cache.leaves[slot], leaf.renewal > now else { return nil }
            cache.uses += 1
            leaf.used = cache.uses
            cache.leaves[slot] = leaf
            return leaf.certificate
        }
        if let found { return found }
        guard let key = takesECDSA ? key : rsaKey.withLock({ $0 }) else {
            throw TLSSetupError("the RSA key that this client needs is still being made; try again")
        }
        let made = try authority.leaf(for: names, key: key, at: now)
        // It is made anew after half of its life.
        let renewal = (now + made.certificate.validity.upperBound) / 2
        cache.withLock { cache in
            if cache.leaves.count >= Self.kept, let oldest = cache.leaves.min(by: { $0.value.used < $1.value.used }) {
                cache.leaves[oldest.key] = nil
            }
            cache.uses += 1
            cache.leaves[slot] = Leaf(certificate: made, renewal: renewal, used: cache.uses)
        }
        return made
    }

    /// Appends the secrets of a connection to the key log, if there is one.
    func note(keys lines: [String]) { keyLog?.append(lines) }
}

/// An error in the settings of TLS.
public struct TLSServicesError: Error, Hashable, CustomStringConvertible {
    /// The error in one line.
    public var description: String

    init(_ description: String) { self.description = description }
}
#endif
