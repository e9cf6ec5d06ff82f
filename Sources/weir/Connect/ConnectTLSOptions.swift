import ArgumentParser
import WeirRelay
import WeirSinks

/// The options of `weir connect` for TLS.
struct ConnectTLSOptions: ParsableArguments {
    @Flag(help: "Speak TLS, and say on standard error what was agreed.")
    var tls = false

    @Option(
        help: ArgumentHelp("Offer these application protocols (ALPN), as in h2,http/1.1.", valueName: "protocol,...")
    )
    var tlsAlpn: String?

    @OptionGroup var servers: TLSPeerOptions

    func validate() throws {
        guard !tls else { return }
        if servers.isAnyGiven || tlsAlpn != nil {
            throw ValidationError("the options --tls-... need --tls.")
        }
    }

    #if TLS
    /// Makes the settings of TLS with a server.
    ///
    /// - Parameter host: the server as it was named.
    /// - Returns: the settings; nil without `--tls`.
    /// - Throws: `Failure` with 64 if an option is wrong.
    func client(for host: HostPort.Host) throws -> TLSClient? {
        guard tls else { return nil }
        var server = host
        if let name = servers.tlsUpstreamName {
            guard let named = try HostPort.Host(alone: name) else {
                throw Failure(.usage, "--tls-upstream-name takes a name or an IP address, not '\(name)'")
            }
            server = named
        }
        return try TLSClient(servers.settings, server: server, protocols: try protocols())
    }

    private func protocols() throws(Failure) -> [String] {
        guard let tlsAlpn else { return [] }
        let names = tlsAlpn.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        // Source: RFC 7301 section 3.1.
        guard names.allSatisfy({ (1...255).contains($0.utf8.count) }) else {
            throw Failure(.usage, "--tls-alpn takes names of 1 to 255 bytes with ',' between them, not '\(tlsAlpn)'")
        }
        return names
    }
    #else
    /// Refuses `--tls`.
    ///
    /// - Throws: `Failure` with 64.
    func refuse() throws(Failure) {
        if tls { throw Failure(.usage, "--tls needs TLS, without which this program was built (trait TLS)") }
    }
    #endif
}
