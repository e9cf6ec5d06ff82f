#if TLS
import WeirEngine
import WeirTLS
import WeirWire

extension TLSServices {
    /// The settings.
    public struct Settings: Hashable, Sendable {
        /// The folder of the CA; nil for the user's own.
        public var authorityFolder: String?
        /// The user's certificates for servers: files in PEM with a certificate, its chain and its key, each after a pattern of names and
        /// `=`, or for all names.
        public var certificates: [String] = []
        /// The file with the certificates by which servers are verified; nil for the system's.
        public var serverTrust: String?
        /// The files with certificates by which servers are verified besides the system's, if by those.
        public var alsoTrusted: [String] = []
        /// The name that servers are told, and by which they are verified; nil for the client's, or the target's.
        public var serverName: String?
        /// The file with the certificate, its chain and its key for servers that ask for one; nil to make one in the client's name.
        public var clientCertificate: String?
        /// Whether servers are not verified.
        public var trustsEveryServer = false
        /// The lowest versions: `1.2` for both sides, `client:1.0` or `server:1.0` for one.
        public var lowestVersions: [String] = []
        /// The highest versions.
        public var highestVersions: [String] = []
        /// The ciphers, as OpenSSL's lists name them; nil for its default.
        public var ciphers: String?
        /// Whether faults of old peers are taken: weak keys, SHA-1, no secure renegotiation.
        public var isLegacy = false
        /// The application protocols (ALPN) that servers are offered: `mirror` for the client's, `none`, or a list with commas.
        public var protocols = "mirror"
        /// The patterns of the names that are decrypted; empty for all.
        public var only: [String] = []
        /// The patterns of the names that are not decrypted.
        public var excepted: [String] = []
        /// Whether the flows of clients that pin another certificate are not decrypted, once that is known.
        public var passesPins = false
        /// The file to which the secrets of all connections are appended, for Wireshark; nil for none.
        public var keyLog: String?

        /// Creates the defaults.
        public init() {}

        /// The certificates by which servers are verified; nil if they are not.
        var trust: TLSTrust? {
            trustsEveryServer ? nil : serverTrust.map { .file($0) } ?? .system(and: alsoTrusted)
        }

        /// Returns the versions of a side.
        ///
        /// - Parameter side: `client` or `server`.
        /// - Returns: the lowest and the highest.
        /// - Throws: `TLSSetupError` if a text is no version, or there are none between them.
        func versions(of side: String) throws(TLSSetupError) -> ClosedRange<TLSVersion> {
            let lowest = try Self.version(lowestVersions, of: side) ?? .v12
            let highest = try Self.version(highestVersions, of: side) ?? .v13
            guard lowest <= highest else {
                throw TLSSetupError("there are no versions from \(lowest) to \(highest)")
            }
            return lowest...highest
        }

        private static func version(_ texts: [String], of side: String) throws(TLSSetupError) -> TLSVersion? {
            var found: TLSVersion?
            for text in texts {
                let parts = text.split(separator: ":", maxSplits: 1)
                let isOfSide = parts.count < 2 || parts[0] == side
                guard let version = parts.last.flatMap({ TLSVersion(String($0)) }),
                    parts.count < 2 || ["client", "server"].contains(parts[0])
                else {
                    throw TLSSetupError(
                        "'\(text)' is no version: choose from 1.0, 1.1, 1.2 and 1.3, for one side after client: or server:"
                    )
                }
                if isOfSide { found = version }
            }
            return found
        }
    }

    /// The application protocols that servers are offered.
    enum Protocols: Sendable {
        /// Those of the client.
        case mirrored
        case list([[UInt8]])

        init(_ text: String) throws(TLSSetupError) {
            switch text {
            case "mirror": self = .mirrored
            case "none": self = .list([])
            default:
                let names = text.split(separator: ",", omittingEmptySubsequences: false).map { Array($0.utf8) }
                guard names.allSatisfy({ (1...255).contains($0.count) }) else {
                    throw TLSSetupError(
                        "'\(text)' is no list of application protocols: write mirror, none, or names as in h2,http/1.1"
                    )
                }
                self = .list(names)
            }
        }
    }

    /// A certificate of the user's, for servers.
    struct OwnCertificate: Sendable {
        /// The names for which it is; nil for all.
        var pattern: NamePattern?
        var certificate: TLSCertificate

        /// Reads `[NAME=]PEM`.
        init(_ text: String) throws(TLSSetupError) {
            let parts = text.split(separator: "=", maxSplits: 1)
            if parts.count == 2, let pattern = NamePattern(parts[0]) {
                self.pattern = pattern
                certificate = try TLSCertificate(file: String(parts[1]))
            } else {
                certificate = try TLSCertificate(file: text)
            }
        }
    }
}
#endif
