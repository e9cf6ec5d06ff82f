public import WeirFlow
public import WeirRelay
import WeirWire

/// Says where and how the control API is served.
public struct AdminSettings: Sendable {
    /// The fewest characters of a token: 16 random hexadecimal digits are 64 bits.
    public static let leastTokenLength = 16

    /// Says where to listen: the address that Toxiproxy's clients expect.
    public var listen = HostPort(.address(.loopbackV4), 8474)
    /// Says which version the program has.
    public var version = "0"
    /// Names the folder where recordings are made and found.
    private(set) var capturesFolder = "Captures"
    /// Makes the settings of recordings: what else the files are to say.
    public var recording = CaptureSettings(seed: 0)
    /// Holds the secret that every call must know; nil where there is none.
    var token: Token?
    /// Bounds the connections at once.
    var maxConnections = 256
    /// Bounds the streams of events at once.
    var maxStreams = 32
    #if Admin
    /// Says what a client may take how long.
    var times = ConnectionGuard.Times()
    #endif

    /// Makes the settings of a server on the loopback, without a token.
    public init() {}

    /// Reads `HOST:PORT` or `default`.
    ///
    /// - Throws: `AdminSettingsError` where it is neither.
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

    /// Takes the folder where recordings are made and found.
    ///
    /// - Throws: `AdminSettingsError` where the name is empty, which would mean the root folder.
    public mutating func keepCaptures(in folder: String) throws(AdminSettingsError) {
        guard !folder.isEmpty else { throw AdminSettingsError("the captures folder needs a name") }
        capturesFolder = folder
    }

    /// Takes the secret that every call must know from the text of a file.
    ///
    /// - Throws: `AdminSettingsError` if it is shorter than `leastTokenLength`, or cannot stand in a header.
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

    /// Returns the one address to listen at.
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

/// Says what is wrong with how the control API is to be served.
public struct AdminSettingsError: Error, Hashable, CustomStringConvertible {
    /// Says it in one line.
    public var description: String

    /// Makes an error.
    public init(_ description: String) {
        self.description = description
    }
}
