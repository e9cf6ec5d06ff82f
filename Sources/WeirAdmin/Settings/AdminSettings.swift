public import WeirRelay
public import WeirSinks
import WeirWire

/// The settings of the control API.
public struct AdminSettings: Sendable {
    /// The minimum number of characters in a token: 16 random hexadecimal digits are 64 bits.
    public static let leastTokenLength = 16

    /// The endpoint on which to listen; the default is what Toxiproxy's clients expect.
    public var listen = HostPort(.address(.loopbackV4), 8474)
    /// The version of the program.
    public var version = "0"
    /// The name of the folder with the recordings.
    private(set) var capturesFolder = "Captures"
    /// The capture settings that recordings start from.
    public var recording = CaptureSettings(seed: 0)
    /// The secret that every call must present; nil if there is none.
    var token: Token?
    /// The maximum number of simultaneous connections.
    var maxConnections = 256
    /// The maximum number of simultaneous streams of events.
    var maxStreams = 32
    #if Admin
    /// The time limits for a client.
    var times = ConnectionGuard.Times()
    #endif

    /// Creates the settings of a server on the loopback, without a token.
    public init() {}

    /// Reads `HOST:PORT` or `default`.
    ///
    /// - Throws: `AdminSettingsError` if it is neither.
    public mutating func listen(at text: String) throws(AdminSettingsError) {
        guard text != "default" else { return }
        guard let route = try? Route(echo: "tcp:\(text)"), route.transport == .tcp else {
            throw AdminSettingsError("'\(text)' is no place to listen at: HOST:PORT, as in 127.0.0.1:8474")
        }
        guard route.listen.host != .any else {
            throw AdminSettingsError("'\(text)' is two places: [::]:PORT is every address of both families")
        }
        listen = route.listen
    }

    /// Sets the folder for recordings.
    ///
    /// - Throws: `AdminSettingsError` if the name is empty, which would mean the root folder.
    public mutating func keepCaptures(in folder: String) throws(AdminSettingsError) {
        guard !folder.isEmpty else { throw AdminSettingsError("the captures folder needs a name") }
        capturesFolder = folder
    }

    /// Sets the secret that every call must present, from the text of a file.
    ///
    /// - Throws: `AdminSettingsError` if it is shorter than `leastTokenLength`, or not allowed in a header.
    public mutating func requireToken(_ text: String) throws(AdminSettingsError) {
        guard let token = Token(text) else {
            throw AdminSettingsError("the token is one line of visible ASCII characters, and not empty")
        }
        guard token.length >= Self.leastTokenLength else {
            throw AdminSettingsError(
                "a token of \(token.length) characters can be guessed: it needs \(Self.leastTokenLength) or more, as from "
                    + "'openssl rand -hex 16'"
            )
        }
        self.token = token
    }

    /// Returns the one address on which to listen.
    func address() throws -> Endpoint {
        let endpoints = try Resolver.resolve(listen, family: nil)
        guard let first = endpoints.first(where: \.address.isV4) ?? endpoints.first else {
            throw AdminSettingsError("there is no address to listen at")
        }
        guard token != nil || first.address.isLoopback else {
            throw AdminSettingsError(
                "the control API on \(first) would be open to everybody who reaches it: listen on the loopback, or give "
                    + "--admin-token-file"
            )
        }
        return first
    }
}

/// A mistake in the settings of the control API.
public struct AdminSettingsError: Error, Hashable, CustomStringConvertible {
    /// The error in one line.
    public var description: String

    /// Creates an error.
    public init(_ description: String) {
        self.description = description
    }
}
