/// What the sides of a TCP route speak.
public struct RouteSecurity: Hashable, Sendable {
    /// What one side speaks.
    public enum Layer: String, Hashable, Sendable {
        /// Bytes, as they come.
        case plain = "tcp"
        case tls
        /// What comes decides: TLS from the beginning, or after some plain bytes (STARTTLS), or never.
        case automatic = "auto"
    }

    /// What clients speak.
    public var client: Layer
    /// What the server speaks; `automatic` is what the client turns out to speak.
    public var server: Layer

    /// Neither side speaks TLS, or it is not looked into.
    public static let plain = RouteSecurity(client: .plain, server: .plain)

    /// Creates what the sides speak.
    public init(client: Layer, server: Layer) { (self.client, self.server) = (client, server) }

    /// What is spoken once the client turns out to speak TLS, or not to.
    func resolved(isTLS: Bool) -> RouteSecurity {
        let spoken = isTLS ? Layer.tls : .plain
        return RouteSecurity(
            client: client == .automatic ? spoken : client,
            server: server == .automatic ? spoken : server
        )
    }
}

extension Route {
    /// Splits a TARGET from the layer before it: `tls:example.com:443`.
    ///
    /// A host may be called `tls`: only before a host with a port is it a layer.
    static func layer(of target: Substring) -> (layer: RouteSecurity.Layer?, rest: Substring) {
        for layer in [RouteSecurity.Layer.tls, .plain] where target.hasPrefix("\(layer.rawValue):") {
            let rest = target.dropFirst(layer.rawValue.utf8.count + 1)
            if rest.contains(":") { return (layer, rest) }
        }
        return (nil, target)
    }
}
