public import WeirWire

/// An endpoint to listen at and a target to forward to: one `LISTEN=TARGET` pair.
///
/// `tcp:9000=127.0.0.1:65432`, `udp:[::1]:9000=localhost:65432`, `tcp:*:9000=10.0.0.5:80`.
public struct Route: Hashable, Sendable, CustomStringConvertible {
    /// The transport protocol.
    public var transport: Transport
    /// The host and port to listen at.
    public var listen: HostPort
    /// The host and port to forward to; if nil, bytes are sent back to the client.
    public var target: HostPort?
    /// What a client must say first, over TCP: it may name its own target.
    public var opening: OpeningKind?
    /// What both sides speak.
    public var security = RouteSecurity.plain

    /// Makes a route.
    public init(_ transport: Transport, listen: HostPort, target: HostPort?, opening: OpeningKind? = nil) {
        self.transport = transport
        self.listen = listen
        self.target = target
        self.opening = opening
    }

    /// Reads `LISTEN=TARGET`.
    ///
    /// - Parameter text: the route as on the command line.
    /// - Throws: `RouteError` with the part that is wrong.
    public init(parsing text: String) throws(RouteError) {
        guard let equals = text.firstIndex(of: "=") else {
            throw RouteError(text, "there is no '=' between LISTEN and TARGET")
        }
        self = try Route(parsingListen: String(text[..<equals]), in: text)
        let (layer, rest) = Self.layer(of: text[text.index(after: equals)...])
        if layer != nil, transport == .udp { throw RouteError(text, "there is no TLS over UDP") }
        security.server = layer ?? security.client
        let target = try HostPort(parsing: rest, of: "TARGET", in: text)
        guard target.host != .loopbackByDefault else { throw RouteError(text, "TARGET needs a host: HOST:PORT") }
        guard target.host != .any else { throw RouteError(text, "TARGET cannot be '*': name one host") }
        guard target.port != 0 else { throw RouteError(text, "TARGET needs a port from 1 to 65535") }
        self.target = target
        try check()
    }

    /// Reads `LISTEN` alone: a route that sends bytes back to the client.
    ///
    /// - Parameter text: the host and port to listen at, as on the command line.
    /// - Throws: `RouteError` with the part that is wrong.
    public init(echo text: String) throws(RouteError) {
        guard !text.contains("=") else {
            throw RouteError(text, "an echo server has no TARGET", isListen: true)
        }
        do throws(RouteError) {
            self = try Route(parsingListen: text, in: text)
        } catch {
            throw RouteError(text, error.problem, isListen: true)
        }
    }

    private init(parsingListen text: String, in whole: String) throws(RouteError) {
        let word = text.firstIndex(of: ":").map { text[..<$0] }
        let layer = word.flatMap { RouteSecurity.Layer(rawValue: String($0)) }
        guard let colon = text.firstIndex(of: ":"), let word,
            let transport = layer == nil ? Transport(String(word)) : .tcp
        else { throw RouteError(whole, "LISTEN begins with 'tcp:', 'tls:', 'auto:' or 'udp:'") }
        self.transport = transport
        security.client = layer ?? .plain
        listen = try HostPort(parsing: text[text.index(after: colon)...], of: "LISTEN", in: whole)
        target = nil
    }

    /// Refuses what cannot be: an opening or TLS over UDP, and a server that always speaks TLS to a client that may not.
    func check() throws(RouteError) {
        if transport == .udp, let opening {
            throw RouteError("\(self)", "the opening '\(opening.name)' needs TCP: a datagram has no beginning")
        }
        if transport == .udp, security != .plain { throw RouteError("\(self)", "there is no TLS over UDP") }
        if security.server == .automatic, security.client != .automatic {
            throw RouteError("\(self)", "a TARGET is after 'tls:' or 'tcp:'; 'auto:' is for LISTEN")
        }
        if security.client == .automatic, security.server == .tls {
            // A client that waits for the server's first words would wait for ever.
            throw RouteError(
                "\(self)",
                "a TARGET with 'tls:' needs a LISTEN with 'tls:' or 'tcp:'; after 'auto:' it speaks what the client speaks"
            )
        }
    }

    /// The route in the form that is parsed.
    public var description: String {
        let layer = security.client == security.server ? "" : "\(security.server.rawValue):"
        let word = transport == .udp ? "udp" : security.client.rawValue
        return "\(word):\(listen)" + (target.map { "=\(layer)\($0)" } ?? "")
    }
}

/// The error of a route that forwards to a listener of the same relay.
public struct RouteLoopError: Error, Hashable, CustomStringConvertible {
    /// The route.
    public var route: Route
    /// The address of its target at which the relay itself listens.
    public var endpoint: Endpoint

    /// The error in one line.
    public var description: String {
        "route '\(route)' forwards to \(endpoint), where this relay listens itself: its flows would never end; choose "
            + "another target"
    }
}
