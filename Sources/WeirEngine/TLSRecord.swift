public import WeirWire

/// What TLS did to a flow, whose bytes are those inside the encryption.
public enum TLSRecord: Hashable, Sendable {
    /// The handshakes are complete: the flow's bytes follow.
    case secured(SecuredRecord)
    /// A handshake failed, or what a side sent later could not be decrypted; the flow ends.
    case failed(TLSFailureRecord)
    /// The source of a direction ended without saying so (close_notify): someone may have cut the stream.
    case truncated(Direction)
}

/// What the handshakes of a flow agreed on.
public struct SecuredRecord: Hashable, Sendable {
    /// The name of the server that the client asked for (SNI); nil for none.
    public var serverName: String?
    /// The application protocol (ALPN), as in `h2`; nil for none.
    public var applicationProtocol: String?
    /// The client's side; nil if it is not encrypted.
    public var client: SecuredSide?
    /// The server's side; nil if it is not encrypted.
    public var server: SecuredSide?
    /// The certificate that the server has shown; nil if there is none.
    public var certificate: ServerCertificate?
    /// The client's fingerprint (JA4); nil if its side is not encrypted.
    public var fingerprint: String?
    /// The time from the first byte of the first handshake to the end of the last one.
    public var duration: Duration

    /// Creates the description.
    public init(
        serverName: String? = nil,
        applicationProtocol: String? = nil,
        client: SecuredSide? = nil,
        server: SecuredSide? = nil,
        certificate: ServerCertificate? = nil,
        fingerprint: String? = nil,
        duration: Duration
    ) {
        (self.serverName, self.applicationProtocol) = (serverName, applicationProtocol)
        (self.client, self.server, self.certificate) = (client, server, certificate)
        (self.fingerprint, self.duration) = (fingerprint, duration)
    }
}

/// One side of a flow that is encrypted.
public struct SecuredSide: Hashable, Sendable {
    /// The version, as in `TLS 1.3`.
    public var version: String
    /// The cipher suite's standard name.
    public var cipher: String
    /// The group of the key exchange, as in `x25519`; nil if there was none.
    public var group: String?

    /// Creates the description.
    public init(version: String, cipher: String, group: String?) {
        (self.version, self.cipher, self.group) = (version, cipher, group)
    }
}

/// The certificate that a server has shown.
public struct ServerCertificate: Hashable, Sendable {
    /// The subject, as in `CN=example.com`.
    public var subject: String
    /// The issuer, as in `CN=R11,O=Let's Encrypt,C=US`.
    public var issuer: String
    /// The SHA-256 of the certificate, in hexadecimal digits.
    public var fingerprint: String
    /// Whether the certificate was verified; if not, anyone may be the server.
    public var isVerified: Bool

    /// Creates the description.
    public init(subject: String, issuer: String, fingerprint: String, isVerified: Bool) {
        (self.subject, self.issuer, self.fingerprint, self.isVerified) = (subject, issuer, fingerprint, isVerified)
    }
}

/// The failure of a handshake, or of decryption.
public struct TLSFailureRecord: Hashable, Sendable {
    /// The side on which it failed.
    public var leg: FlowLeg
    /// The reason in a few words.
    public var reason: String
    /// What the user can do about it; nil if nothing is known.
    public var advice: String?

    /// Creates the description.
    public init(leg: FlowLeg, reason: String, advice: String? = nil) {
        (self.leg, self.reason, self.advice) = (leg, reason, advice)
    }
}
