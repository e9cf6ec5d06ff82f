import ArgumentParser
import WeirRelay

/// The options for TLS with servers: how they are verified, and how TLS is spoken.
struct TLSPeerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Verify TLS servers by the CAs in this file (default: the system's).", valueName: "pem"),
        completion: .file()
    )
    var tlsUpstreamCa: String?

    @Option(
        help: ArgumentHelp(
            "Ask TLS servers for this name, and verify them by it (default: the client's, or the target's).",
            valueName: "name"
        )
    )
    var tlsUpstreamName: String?

    @Flag(help: "Do not verify TLS servers: anyone may be the server.")
    var tlsInsecureUpstream = false

    @Option(
        help: ArgumentHelp(
            "Give servers that ask for one this certificate, with its key (default: one of the CA in the client's name).",
            valueName: "pem"
        ),
        completion: .file()
    )
    var tlsClientCert: String?

    @Option(
        help: ArgumentHelp(
            "The lowest version of TLS: 1.0, 1.1, 1.2 or 1.3; for one side after client: or server: (default: 1.2).",
            valueName: "version"
        )
    )
    var tlsMin: [String] = []

    @Option(help: ArgumentHelp("The highest version of TLS (default: 1.3).", valueName: "version"))
    var tlsMax: [String] = []

    @Option(help: ArgumentHelp("The ciphers, as OpenSSL's lists name them.", valueName: "list"))
    var tlsCiphers: String?

    @Flag(help: "Take old peers of TLS: weak keys, SHA-1, no secure renegotiation.")
    var tlsLegacy = false

    @Option(
        help: ArgumentHelp(
            "Append the secrets of all TLS connections to a file, as Wireshark reads it.",
            valueName: "file"
        ),
        completion: .file()
    )
    var tlsKeylog: String?

    func validate() throws {
        if tlsInsecureUpstream, tlsUpstreamCa != nil {
            throw ValidationError("--tls-insecure-upstream trusts any server, so --tls-upstream-ca has no place.")
        }
    }

    /// Whether one of the options is given.
    var isAnyGiven: Bool {
        tlsInsecureUpstream || tlsLegacy || !tlsMin.isEmpty || !tlsMax.isEmpty
            || [tlsUpstreamCa, tlsUpstreamName, tlsClientCert, tlsCiphers, tlsKeylog].contains { $0 != nil }
    }

    #if TLS
    /// The options as settings.
    var settings: TLSServices.Settings {
        var settings = TLSServices.Settings()
        (settings.serverTrust, settings.serverName) = (tlsUpstreamCa, tlsUpstreamName)
        (settings.trustsEveryServer, settings.clientCertificate) = (tlsInsecureUpstream, tlsClientCert)
        (settings.lowestVersions, settings.highestVersions) = (tlsMin, tlsMax)
        (settings.ciphers, settings.isLegacy) = (tlsCiphers, tlsLegacy)
        settings.keyLog = tlsKeylog
        return settings
    }
    #endif
}
