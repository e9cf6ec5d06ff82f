import ArgumentParser
import Glibc
import WeirCapture
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
        help: ArgumentHelp(
            "Show clients this certificate, with its chain and key, for these names (default: for all).",
            valueName: "[name=]pem"
        ),
        completion: .file()
    )
    var tlsCert: [String] = []

    @OptionGroup var servers: TLSPeerOptions

    @Option(
        help: ArgumentHelp(
            "The application protocols (ALPN) for servers: mirror (the client's), none, or a list as in h2,http/1.1.",
            valueName: "list"
        )
    )
    var tlsAlpn = "mirror"

    @Option(
        help: ArgumentHelp("Decrypt only these names, as in *.example.com; all others pass through.", valueName: "name")
    )
    var tlsOnly: [String] = []

    @Option(help: ArgumentHelp("Do not decrypt these names: they pass through.", valueName: "name"))
    var tlsExcept: [String] = []

    @Option(
        help: ArgumentHelp(
            "What happens to clients that refuse the certificate twice: fail, or pass (not decrypted for an hour).",
            valueName: "what"
        )
    )
    var tlsOnPin = OnPin.fail

    /// What happens to the flows of clients that pin another certificate.
    enum OnPin: String, ExpressibleByArgument, CaseIterable {
        case fail
        case pass
    }

    /// Whether one of the options is given.
    var isAnyGiven: Bool {
        tlsCa != nil || ![tlsCert, tlsOnly, tlsExcept].allSatisfy(\.isEmpty) || tlsAlpn != "mirror" || tlsOnPin != .fail
            || servers.isAnyGiven
    }

    /// Returns a feed of the secrets of a relay's TLS connections, now or once it has TLS, for the capture of its packets.
    static func secrets(of configuration: inout RelayConfiguration) -> SecretFeed {
        let feed = SecretFeed()
        #if TLS
        let receive = { @Sendable (services: TLSServices) in
            feed.expect()
            services.whenKeysAreKnown(feed.add)
        }
        if let services = configuration.tls { receive(services) }
        if let make = configuration.makeTLS {
            configuration.makeTLS = { () throws(TLSServicesError) in
                let services = try make()
                receive(services)
                return services
            }
        }
        #endif
        return feed
    }

    /// Gives a relay what its routes with TLS need, now or once there is one.
    ///
    /// - Parameters:
    ///   - configuration: the relay's configuration.
    ///   - isNeeded: whether flows have TLS whatever the routes say.
    ///   - isLater: whether routes may be added later.
    ///   - alsoTrusted: files with certificates by which servers are verified besides the system's, if by those.
    /// - Throws: `Failure`: 64 if this program is built without TLS, or a setting is wrong; 73 if the CA cannot be made.
    func apply(
        to configuration: inout RelayConfiguration,
        isNeeded: Bool = false,
        isLater: Bool = false,
        alsoTrusting alsoTrusted: [String] = []
    ) throws(Failure) {
        let route = configuration.routes.first { $0.security != .plain }
        #if TLS
        var settings = settings
        settings.alsoTrusted = alsoTrusted
        let make: @Sendable () throws(TLSServicesError) -> TLSServices = { [settings] () throws(TLSServicesError) in
            let services = try TLSServices(settings, host: CAText.host) { getenv($0).map { String(cString: $0) } }
            if services.isNew {
                Diagnostics.print(
                    "made a CA, which clients must trust: \(services.certificatePath); see: weir ca trust"
                )
            }
            switch services.daysLeft {
            case ..<0: Diagnostics.print("the CA has expired, so clients refuse its certificates; see: weir ca")
            case ..<30: Diagnostics.print("the CA expires in \(services.daysLeft) days; see: weir ca")
            default: break
            }
            return services
        }
        configuration.makeTLS = make
        guard isNeeded || route != nil else {
            if isAnyGiven, !isLater {
                Diagnostics.print("no route has TLS (tls: or auto:), so the --tls options change nothing")
            }
            return
        }
        do throws(TLSServicesError) {
            configuration.tls = try make()
        } catch {
            throw Failure(error.isInput ? .noInput : error.isOutput ? .cannotCreate : .usage, "\(error)")
        }
        #else
        guard isNeeded || route != nil else { return }
        let reason = route.map { "route '\($0)' needs TLS" } ?? "this needs TLS"
        throw Failure(.usage, "\(reason), without which this program was built (trait TLS)")
        #endif
    }

    #if TLS
    private var settings: TLSServices.Settings {
        var settings = servers.settings
        (settings.authorityFolder, settings.certificates) = (tlsCa, tlsCert)
        settings.protocols = tlsAlpn
        (settings.only, settings.excepted, settings.passesPins) = (tlsOnly, tlsExcept, tlsOnPin == .pass)
        return settings
    }
    #endif
}
