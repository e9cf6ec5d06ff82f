import ArgumentParser
import Glibc
import WeirAnalysis
import WeirCapture
import WeirRelay
import WeirSinks

/// The sources of datagrams that are relayed to a client.
enum DatagramSources: String, ExpressibleByArgument, CaseIterable {
    /// Only the server.
    case server
    /// Any endpoint.
    case any
}

/// The command `weir relay`, which forwards and shows traffic: the main job.
struct RelayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "relay",
        abstract: "Forward TCP streams and UDP datagrams, and show every byte and every port.",
        discussion: """
            A ROUTE is LISTEN=TARGET:

              tcp:9000=127.0.0.1:65432        listens on 127.0.0.1 only
              udp:[::1]:9000=localhost:65432  IPv6 in brackets; names as targets
              tcp:*:9000=10.0.0.5:80          listens on every address
              tcp:0=127.0.0.1:80              port 0: the kernel chooses
              tls:9000=example.com:443        TLS on both sides, decrypted in between
              tls:9000=tcp:127.0.0.1:80       TLS from the client alone
              tcp:9000=tls:example.com:443    TLS to the server alone
              auto:9000=mail.example.com:587  plain, TLS or STARTTLS, by what comes

            A flow's first line shows its four endpoints: client → listener ⇒ egress → server. The egress is the \
            ephemeral endpoint that the kernel gave the relay for this client. ▲ is what the client sent, ▼ is what the \
            server sent, '@' is the offset in the stream. On a terminal, lines fit its width, and leave out addresses \
            that are the loopback's, or the same as the one before; in a pipe they are whole, and have dates. Without \
            UTF-8 (or with --ascii) the signs are > and <, -> and =>.

            ^C ends: the flows that are open get --grace to finish; a second ^C stops at once. SIGTERM and SIGHUP end, \
            too, and do not wait for an output that nobody reads: what it has not taken then is lost, which is printed.

            Times are written 500ms, 10s, 2m or 1h; sizes 4096, 64k or 1M.
            """
    )

    @Argument(help: ArgumentHelp("What to forward: LISTEN=TARGET.", valueName: "route"))
    var routes: [String] = []

    @OptionGroup var outputs: OutputOptions

    @OptionGroup var only: OnlyOptions

    @Option(
        help: ArgumentHelp(
            "Capture the packets of both legs with libpcap into a file, or a folder; needs CAP_NET_RAW.",
            valueName: "path"
        ),
        completion: .file()
    )
    var capture: String?

    @Option(
        help: ArgumentHelp(
            "Capture on this interface (default: the loopback where all routes stay there, else any).",
            valueName: "name"
        )
    )
    var interface: String?

    @OptionGroup var captureOptions: CaptureOptions

    @Option(
        help: ArgumentHelp(
            "At most this many TCP flows at once (default: 10000, or as many as the descriptor limit allows); further "
                + "clients wait.",
            valueName: "count"
        )
    )
    var maxFlows: Int?

    @Option(
        help: ArgumentHelp(
            "At most this many UDP sessions at once (default: 10000, or as many as the descriptor limit allows); the "
                + "least active one makes room.",
            valueName: "count"
        )
    )
    var maxSessions: Int?

    @Option(
        help: ArgumentHelp(
            "Give up reaching a server after this long. A client that resets meanwhile ends its flow; one that closes looks like "
                + "one that has sent all and waits, and is kept.",
            valueName: "time"
        )
    )
    var connectTimeout = DurationArgument(.seconds(10))

    @Option(help: ArgumentHelp("Look a target's name up again once its addresses are this old.", valueName: "time"))
    var nameLifetime = DurationArgument(.seconds(30))

    @Option(
        help: ArgumentHelp(
            "Ask a TCP peer that says nothing for this long whether it is still there, and end the flow if not; 0 never does.",
            valueName: "time"
        )
    )
    var keepalive = DurationArgument(.seconds(60))

    @Option(help: ArgumentHelp("End a TCP flow on which nothing moved for this long; 0 never does.", valueName: "time"))
    var idleTimeout = DurationArgument(.zero)

    @Option(help: ArgumentHelp("End a UDP session on which nothing moved for this long.", valueName: "time"))
    var udpTimeout = DurationArgument(.seconds(60))

    @Option(
        help: ArgumentHelp(
            "The datagrams that go to a client: from its server alone (others are dropped, and shown with their source), or "
                + "from any endpoint, as TFTP needs. After one from another port of the server's address, the client's "
                + "datagrams go there.",
            valueName: "server|any"
        )
    )
    var udpFrom = DatagramSources.server

    @Option(help: ArgumentHelp("On ^C, wait this long for open flows.", valueName: "time"))
    var grace = DurationArgument(.seconds(5))

    @Option(help: ArgumentHelp("Run this many event loops (default: one a core).", valueName: "count"))
    var threads: Int?

    @OptionGroup var families: FamilyOptions

    @OptionGroup var portOptions: RelayPortOptions

    @OptionGroup var tls: TLSOptions

    @OptionGroup var admin: AdminOptions

    func validate() throws {
        if !outputs.toxics.toxics { try admin.requireRoutes(routes) }
        try outputs.requireStandardOutput()
        try outputs.records.requireFiles(orCapture: capture)
        if capture == "-" {
            throw ValidationError("--capture takes a file or a folder; 'weir capture -w -' is for pipes.")
        }
        if capture == nil, interface != nil || captureOptions.isAnyGiven {
            throw ValidationError("--interface, --snaplen, --buffer and --immediate need --capture PATH.")
        }
        try outputs.check()
        let counts = [
            ("--max-flows", maxFlows ?? 1), ("--max-sessions", maxSessions ?? 1), ("--threads", threads ?? 1),
        ]
        for (name, value) in counts where value < 1 || value > 1_000_000 {
            throw ValidationError("\(name) takes a number from 1 to 1000000, not \(value).")
        }
        if connectTimeout.duration <= .zero { throw ValidationError("--connect-timeout takes a time above 0.") }
        if udpTimeout.duration <= .zero { throw ValidationError("--udp-timeout takes a time above 0.") }
    }

    func run() async throws {
        if outputs.toxics.toxics { return print(ToxicTable.render(), terminator: "") }
        do {
            let query = try only.query(findsProcesses: !portOptions.noProcesses)
            var configuration = try configuration()
            try tls.apply(to: &configuration, isLater: admin.admin != nil)
            let secrets = capture == nil ? nil : TLSOptions.secrets(of: &configuration)
            let details = try portOptions.apply(to: &configuration)
            let admin: RelayAdmin? = try await self.admin.start(names: configuration.names)
            if let admin {
                configuration.adminEndpoints = admin.endpoints
                configuration.takesRoutes = true
            }
            let scenario = try outputs.toxics.readScenario()
            try outputs.toxics.apply(to: &configuration, scenario)
            let names = RouteNames()
            let session = Session(
                configuration,
                grace: grace.duration,
                scenario: scenario,
                admin: admin,
                asked: (maxFlows != nil, maxSessions != nil),
                whenServing: names.serve
            )
            let outputs = makeOutputs(configuration, details, admin: admin, only: query, names, secrets)
            let status = try await session.run(outputs: try outputs.makeAll(), outputs.recording, outputs.capture)
            if status != .done { Glibc.exit(status.rawValue) }
        } catch {
            throw Failure(error)
        }
    }

    /// Makes the outputs that the options ask for.
    func makeOutputs(
        _ configuration: RelayConfiguration,
        _ details: FlowDetails,
        admin: RelayAdmin?,
        only query: FlowQuery? = nil,
        _ names: RouteNames = RouteNames(),
        _ secrets: SecretFeed? = nil
    ) -> RelayOutputs {
        let capture = capture.map {
            RelayCapture(
                to: $0,
                rotation: outputs.records.rotation.rotation,
                interface: interface,
                settings: captureOptions.source(),
                process: configuration.processes?.peek,
                secrets: secrets
            )
        }
        return RelayOutputs(outputs, configuration, details, admin: admin, only: query, names, capture: capture)
    }

    /// Makes the configuration for the relay, as far as options give it that need nothing else.
    func configuration() throws(RouteError) -> RelayConfiguration {
        var configuration = RelayConfiguration(
            routes: try routes.map { text throws(RouteError) in try Route(parsing: text) }
        )
        configuration.threads = threads ?? Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        configuration.maxFlows = maxFlows ?? 10_000
        configuration.maxSessions = maxSessions ?? 10_000
        configuration.connectTimeout = connectTimeout.duration
        configuration.nameLifetime = nameLifetime.duration
        configuration.keepalive = keepalive.duration > .zero ? keepalive.duration : nil
        configuration.idleTimeout = idleTimeout.duration > .zero ? idleTimeout.duration : nil
        configuration.udpTimeout = udpTimeout.duration
        configuration.takesAnySource = udpFrom == .any
        configuration.echoWindow = outputs.echoWindow.bytes
        configuration.expectsEcho = outputs.expectEcho
        configuration.family = families.family
        return configuration
    }
}
