import Glibc
public import WeirWire

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
        guard isName(text) else {
            throw RouteError(whole, "\(part) has '\(text)', which is neither an IP address nor a host name")
        }
        return String(text)
    }

    /// Whether a text can be a host's name, and cannot be meant as an IPv4 address.
    static func isName(_ text: Substring) -> Bool {
        let hasOnlyNameBytes = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        let looksNumeric = text.utf8.allSatisfy { $0 == UInt8(ascii: ".") || (0x30...0x39).contains($0) }
        return hasOnlyNameBytes && !looksNumeric && text.utf8.count <= 253
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

extension HostPort.Host {
    /// Reads a host without a port from the command line: a name, or an address.
    ///
    /// An IPv6 address may have brackets, and a zone that is a number or the name of an interface: `::1`, `[::1]`,
    /// `fe80::1%2`, `fe80::1%eth0`. Any other text is a name for the system's resolver, which also knows the short
    /// forms of IPv4 (`127.1`).
    ///
    /// - Parameter text: the host; the result is nil if it is neither a name nor an address.
    /// - Throws: `ResolveError` if this machine has no interface with the zone's name.
    public init?(alone text: String) throws(ResolveError) {
        let hasBrackets = text.hasPrefix("[") && text.hasSuffix("]") && text.count > 2
        let inner = hasBrackets ? String(text.dropFirst().dropLast()) : text
        if let address = try Self.address(inner) {
            guard !hasBrackets || !address.isV4 else { return nil }
            self = .address(address)
            return
        }
        let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f && !":[]%/*".utf8.contains($0) }
        guard isPlain, !text.isEmpty, text.utf8.count <= 253 else { return nil }
        self = .name(text)
    }

    private static func address(_ text: String) throws(ResolveError) -> IPAddress? {
        if let address = IPAddress(text) { return address }
        guard let percent = text.firstIndex(of: "%") else { return nil }
        let interface = String(text[text.index(after: percent)...])
        guard let address = IPAddress(text[..<percent]), !address.isV4, !interface.isEmpty else { return nil }
        let scope = if_nametoindex(interface)
        guard scope != 0 else {
            throw ResolveError(name: text, reason: "this machine has no interface '\(interface)'")
        }
        return IPAddress(v6: address.high, low: address.low, scope: scope)
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
