public import WeirWire

/// What TLS did to a flow, whose bytes are those inside the encryption.
public enum TLSRecord: Hashable, Sendable {
    /// The handshakes are complete: the flow's bytes follow.
    case secured(SecuredRecord)
    /// A handshake failed, or what a side sent later could not be decrypted; the flow ends.
    case failed(TLSFailureRecord)
    /// The source of a direction ended without saying so (close_notify): someone may have cut the stream.
    case truncated(Direction)
    /// The flow is not decrypted: its bytes are those of TLS itself.
    case bypassed(BypassRecord)
    /// The client ended after its handshake without a byte, as clients do that pin another certificate; what the user can do about it.
    case unused(advice: String)
}

/// A ClientHello that went on as it came.
public struct BypassRecord: Hashable, Sendable {
    /// Why a flow is not decrypted.
    public enum Reason: Hashable, Sendable {
        /// Its name fits a pattern that is excepted.
        case excepted(pattern: String)
        /// Its name fits none of the patterns that are decrypted.
        case notListed
        /// The client has refused the certificate for the name this often in a row.
        case pinned(refusals: Int)
    }

    /// The name by which it was decided: that of the client (SNI), or else the target's, or else the server's address.
    public var name: String
    /// The reason.
    public var reason: Reason
    /// The client's fingerprint (JA4).
    public var fingerprint: String?

    /// Creates the description.
    public init(name: String, reason: Reason, fingerprint: String? = nil) {
        (self.name, self.reason, self.fingerprint) = (name, reason, fingerprint)
    }
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
    /// The fingerprint (JA4) that the server sees, which is the relay's; nil if its side is not encrypted.
    public var ownFingerprint: String?
    /// Whether the client has sent an encrypted ClientHello (ECH), or something that looks like one, which was not accepted.
    public var hasEncryptedHello = false
    /// The certificate of the client, and what the server got; nil if the server has asked for none.
    public var clientCertificate: ClientCertificate?
    /// The bytes that were not encrypted, before the client's ClientHello (STARTTLS); nil if it came first.
    public var plainBytes: PlainBytes?
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

/// How a server that has asked for a certificate of its client was answered.
public struct ClientCertificate: Hashable, Sendable {
    /// The origin of the certificate that the server got.
    public enum Origin: Hashable, Sendable {
        /// It is the user's.
        case file
        /// The relay's CA has made it, in the name of the client's.
        case reissued
        /// The client has none, so the server got none.
        case none
    }

    /// The subject, as in `CN=alice`; nil if there is no certificate.
    public var subject: String?
    /// The origin.
    public var origin: Origin

    /// Creates the description.
    public init(subject: String?, origin: Origin) { (self.subject, self.origin) = (subject, origin) }
}

/// The bytes of both directions that were not encrypted.
public struct PlainBytes: Hashable, Sendable {
    /// The bytes from the client.
    public var upstream: UInt64
    /// The bytes from the server.
    public var downstream: UInt64

    /// Creates the numbers.
    public init(upstream: UInt64, downstream: UInt64) { (self.upstream, self.downstream) = (upstream, downstream) }
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
