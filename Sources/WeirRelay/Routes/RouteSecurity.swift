/// What the sides of a TCP route speak.
public struct RouteSecurity: Hashable, Sendable {
    /// Whether clients speak TLS.
    public var client: Bool
    /// Whether the server speaks TLS.
    public var server: Bool

    /// Neither side speaks TLS, or it is not looked into.
    public static let plain = RouteSecurity(client: false, server: false)

    /// Creates what the sides speak.
    public init(client: Bool, server: Bool) { (self.client, self.server) = (client, server) }
}

extension Route {
    /// Splits a TARGET from the layer before it: `tls:example.com:443`.
    ///
    /// A host may be called `tls`: only before a host with a port is it a layer.
    static func layer(of target: Substring) -> (isSecured: Bool?, rest: Substring) {
        for (name, isSecured) in [("tls:", true), ("tcp:", false)] where target.hasPrefix(name) {
            let rest = target.dropFirst(name.count)
            if rest.contains(":") { return (isSecured, rest) }
        }
        return (nil, target)
    }
}
