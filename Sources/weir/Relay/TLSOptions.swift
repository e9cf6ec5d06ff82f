import ArgumentParser
import Glibc
import WeirRelay

/// The options for routes with TLS.
struct TLSOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The folder of the CA for clients of TLS (default: weir/tls in the user's data folder); see weir ca.",
            valueName: "folder"
        ),
        completion: .directory
    )
    var tlsCa: String?

    @Option(
        help: ArgumentHelp("Verify TLS servers by the CAs in this file (default: the system's).", valueName: "pem"),
        completion: .file()
    )
    var tlsUpstreamCa: String?

    @Flag(help: "Do not verify TLS servers: anyone may be the server.")
    var tlsInsecureUpstream = false

    @Option(help: ArgumentHelp("The lowest version of TLS: 1.0, 1.1, 1.2 or 1.3.", valueName: "version"))
    var tlsMin = "1.2"

    @Option(help: ArgumentHelp("The highest version of TLS.", valueName: "version"))
    var tlsMax = "1.3"

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

    /// Gives a relay what its routes with TLS need, if there are any.
    ///
    /// - Parameter configuration: the relay's configuration.
    /// - Throws: `Failure`: 64 if this program is built without TLS, or a setting is wrong; 73 if the CA cannot be made.
    func apply(to configuration: inout RelayConfiguration) throws(Failure) {
        guard let route = configuration.routes.first(where: { $0.security != .plain }) else { return }
        #if TLS
        var settings = TLSServices.Settings()
        settings.authorityFolder = tlsCa
        settings.serverTrust = tlsUpstreamCa
        settings.trustsEveryServer = tlsInsecureUpstream
        (settings.lowestVersion, settings.highestVersion) = (tlsMin, tlsMax)
        settings.keyLog = tlsKeylog
        do throws(TLSServicesError) {
            let services = try TLSServices(settings, host: CAText.host) { getenv($0).map { String(cString: $0) } }
            if services.isNew {
                Diagnostics.print(
                    "made a CA, which clients must trust: \(services.certificatePath); see: weir ca trust"
                )
            }
            configuration.tls = services
        } catch {
            throw Failure(.usage, "\(error)")
        }
        #else
        throw Failure(.usage, "route '\(route)' needs TLS, without which this program was built (trait TLS)")
        #endif
    }
}
