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
        let target = try HostPort(parsing: text[text.index(after: equals)...], of: "TARGET", in: text)
        guard target.host != .loopbackByDefault else { throw RouteError(text, "TARGET needs a host: HOST:PORT") }
        guard target.host != .any else { throw RouteError(text, "TARGET cannot be '*': name one host") }
        guard target.port != 0 else { throw RouteError(text, "TARGET needs a port from 1 to 65535") }
        self.target = target
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
        guard let colon = text.firstIndex(of: ":"), let transport = Transport(String(text[..<colon])) else {
            throw RouteError(whole, "LISTEN begins with 'tcp:' or 'udp:'")
        }
        self.transport = transport
        listen = try HostPort(parsing: text[text.index(after: colon)...], of: "LISTEN", in: whole)
        target = nil
    }

    /// The route in the form that is parsed.
    public var description: String {
        "\(transport):\(listen)" + (target.map { "=\($0)" } ?? "")
    }
}

/// An error in a route's text.
public struct RouteError: Error, Hashable, CustomStringConvertible {
    /// The whole text.
    public var text: String
    /// The part that is wrong, and what it should be.
    public var problem: String

    /// Whether the text should have been a LISTEN alone.
    public var isListen: Bool

    /// Makes an error.
    public init(_ text: String, _ problem: String, isListen: Bool = false) {
        self.text = text
        self.problem = problem
        self.isListen = isListen
    }

    /// The error in one line.
    public var description: String {
        if isListen { return "'\(text)' is no LISTEN: \(problem); a LISTEN is tcp:PORT or udp:PORT, as in tcp:65432" }
        return "'\(text)' is not a route: \(problem); a route is LISTEN=TARGET, as in tcp:9000=127.0.0.1:65432"
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

/// A host, by address or name, and a port.
public struct HostPort: Hashable, Sendable, CustomStringConvertible {
    /// A host.
    public enum Host: Hashable, Sendable {
        /// No host given; 127.0.0.1 for listening.
        case loopbackByDefault
        /// Every address of this machine: `*`.
        case any
        /// An address.
        case address(IPAddress)
        /// A name to resolve.
        case name(String)
    }

    /// The host.
    public var host: Host
    /// The port.
    public var port: UInt16

    /// Makes a pair.
    public init(_ host: Host, _ port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Makes a pair from an endpoint's address and port.
    public init(_ endpoint: Endpoint) {
        self.init(.address(endpoint.address), endpoint.port)
    }

    /// Reads `PORT`, `HOST:PORT`, `[IPv6]:PORT` or `*:PORT`.
    init(parsing text: Substring, of part: String, in whole: String) throws(RouteError) {
        let colon = text.lastIndex(of: ":")
        let portText = colon.map { text[text.index(after: $0)...] } ?? text
        guard let port = UInt16(portText), portText.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            let example = part == "TARGET" ? "HOST:PORT, a port from 1 to 65535" : "a port from 0 to 65535"
            throw RouteError(whole, "\(part) ends with \(example), not with '\(portText)'")
        }
        self.port = port
        guard let colon else {
            host = .loopbackByDefault
            return
        }
        host = try Self.host(text[..<colon], of: part, in: whole)
    }

    private static func host(_ text: Substring, of part: String, in whole: String) throws(RouteError) -> Host {
        if text == "*" { return .any }
        if text.isEmpty { throw RouteError(whole, "\(part) has no host before ':'") }
        if text.hasPrefix("["), text.hasSuffix("]") {
            let inner = text.dropFirst().dropLast()
            // A zone may be an interface's name.
            guard case .address(let address)? = try? Self.Host(alone: String(text)) else {
                throw RouteError(
                    whole,
                    "\(part) has '\(inner)' in brackets, which is no IPv6 address of this machine's zones"
                )
            }
            return .address(address)
        }
        if let address = IPAddress(text) {
            guard address.isV4 else {
                throw RouteError(whole, "\(part) has an IPv6 address, which stands in brackets: [\(text)]:PORT")
            }
            return .address(address)
        }
        return .name(try name(text, of: part, in: whole))
    }

    private static func name(_ text: Substring, of part: String, in whole: String) throws(RouteError) -> String {
        let isName = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        let looksNumeric = text.utf8.allSatisfy { $0 == UInt8(ascii: ".") || (0x30...0x39).contains($0) }
        guard isName, !looksNumeric, text.utf8.count <= 253 else {
            throw RouteError(whole, "\(part) has '\(text)', which is neither an IP address nor a host name")
        }
        return String(text)
    }

    /// The pair in the form that is parsed.
    public var description: String {
        switch host {
        case .loopbackByDefault: "\(port)"
        case .any: "*:\(port)"
        case .address(let address): Endpoint(address: address, port: port).description
        case .name(let name): "\(name):\(port)"
        }
    }
}
