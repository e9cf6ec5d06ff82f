#if TLS
import WeirTLS

extension TLSFailure {
    /// What the user can do about a failure of a server's side, as far as it is certain; nil if nothing is known.
    var adviceOnServer: String? {
        switch self {
        case .unverified(let reason) where reason.contains("mismatch"):
            "--tls-upstream-name NAME verifies another name, --tls-insecure-upstream verifies nothing"
        case .unverified(let reason) where reason.hasSuffix("too weak"):
            "--tls-legacy takes weak keys and signatures"
        case .unverified: "--tls-upstream-ca FILE trusts another CA, --tls-insecure-upstream any server"
        case .protocolError(reason: "unsafe legacy renegotiation disabled"):
            "--tls-legacy takes servers without secure renegotiation"
        // OpenSSL's words for bytes that are no records of TLS.
        case .protocolError(reason: "wrong version number"), .protocolError(reason: "packet length too long"):
            "the server does not speak TLS on this port, or not at once"
        case .alertReceived(.certificateRequired): "the server asks for a certificate: --tls-client-cert FILE"
        case .alertReceived(.unknownAuthority):
            "if it asks for a certificate of the client, it must trust the CA, or get one by --tls-client-cert FILE"
        case .ended: "the server may speak no TLS on this port"
        default: adviceOnVersions
        }
    }

    /// What the user can do about a failure of a client's side.
    ///
    /// - Parameters:
    ///   - authority: the path of the CA's certificate.
    ///   - name: the name for which the client got a certificate.
    /// - Returns: the advice; nil if nothing is known.
    func adviceOnClient(_ authority: String, _ name: String) -> String? {
        switch self {
        case .alertReceived(let alert) where TLSAlert.distrust.contains(alert):
            "the client does not trust \(authority) (see: weir ca trust), or pins another certificate: \(Self.wayAround(name))"
        case .alertReceived(.certificateExpired):
            "the CA may have expired; see: weir ca"
        case .ended:
            "the client may not trust \(authority) (see: weir ca trust), or pin another certificate: \(Self.wayAround(name))"
        default: adviceOnVersions
        }
    }

    private var adviceOnVersions: String? {
        switch self {
        case .protocolError(reason: "unsupported protocol"), .alertReceived(.protocolVersion):
            "--tls-min and --tls-max choose other versions"
        default: nil
        }
    }

    /// The options that leave a name's flows alone.
    static func wayAround(_ name: String) -> String { "--tls-except \(name), --tls-on-pin pass" }
}

extension TLSAlert {
    /// The alerts of clients that do not trust a certificate.
    static let distrust: Set<TLSAlert> = [.unknownAuthority, .badCertificate, .certificateUnknown]
}
#endif
