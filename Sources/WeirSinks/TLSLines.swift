import WeirEngine
import WeirWire

/// The lines and the members of what TLS did to a flow.
extension TerminalSink {
    /// Appends a line: `tls TLS 1.3 h2 example.com, server TLS 1.2 verified (CN=R11), 12.3 ms`.
    ///
    /// What the peers named is escaped.
    mutating func appendTLS(_ tls: TLSRecord, _ record: FlowRecord, _ output: inout ByteBuffer) {
        let start = begin(record, &output)
        // What the user can do is a line of its own: at the end of a long one it would be cut.
        var advice: String?
        switch tls {
        case .secured(let secured):
            output.append(secured.certificate?.isVerified == false ? "tls NOT VERIFIED, " : "tls ")
            append(secured, &output)
        case .failed(let failure):
            beginColor("\u{1B}[31m", &output)
            output.append(failure.leg == .client ? "tls failed, client: " : "tls failed, server: ")
            output.append(SafeText.escaped(failure.reason))
            advice = failure.advice
        case .truncated(let direction):
            appendSign(direction, &output)
            output.append(" ended without close_notify")
        case .bypassed(let bypass):
            output.append("tls not decrypted: ")
            output.append(SafeText.escaped(bypass.name))
            output.append(bypass.reason.text)
        case .unused(let way):
            beginColor("\u{1B}[31m", &output)
            output.append("tls client ended without a byte after its handshake")
            advice = way
        }
        endColor(&output)
        output.endLine(from: start, style)
        guard let advice else { return }
        output.append("  ")
        output.append(SafeText.escaped(advice))
        output.append("\n")
    }

    func append(_ secured: SecuredRecord, _ output: inout ByteBuffer) {
        if let client = secured.client { output.append("client \(client.version)") }
        if let server = secured.server {
            output.append(secured.client == nil ? "server \(server.version)" : ", server \(server.version)")
        }
        for name in [secured.applicationProtocol, secured.serverName] {
            guard let name else { continue }
            output.append(" ")
            output.append(SafeText.escaped(name))
        }
        if let certificate = secured.certificate {
            output.append(certificate.isVerified ? ", verified (" : ", not verified (")
            output.append(SafeText.escaped(certificate.issuer))
            output.append(")")
        }
        if let certificate = secured.clientCertificate { append(certificate, &output) }
        if secured.hasEncryptedHello { output.append(", ECH not accepted") }
        if let plain = secured.plainBytes {
            output.append(", after \(plain.upstream) plain bytes up, \(plain.downstream) down")
        }
        output.append(", ")
        output.appendBrief(secured.duration)
    }

    private func append(_ certificate: ClientCertificate, _ output: inout ByteBuffer) {
        guard let subject = certificate.subject else {
            return output.append(", no client certificate, which the server asked for")
        }
        output.append(", client certificate ")
        output.append(SafeText.escaped(subject))
        if certificate.origin == .reissued { output.append(" (made anew)") }
    }
}

extension BypassRecord.Reason {
    /// The reason as the end of a line.
    fileprivate var text: String {
        switch self {
        case .excepted(let pattern): " is excepted by '\(pattern)'"
        case .notListed: " is not among those to decrypt"
        case .pinned(let refusals): ": the client has refused the certificate \(refusals) times"
        }
    }

    /// The reason as a word.
    fileprivate var word: StaticString {
        switch self {
        case .excepted: "excepted"
        case .notListed: "not_listed"
        case .pinned: "pinned"
        }
    }
}

extension JSONWriter {
    /// Appends what TLS did.
    mutating func appendMembers(of tls: TLSRecord) {
        switch tls {
        case .secured(let secured):
            member("sni", secured.serverName)
            member("alpn", secured.applicationProtocol)
            member("ja4", secured.fingerprint)
            member("own_ja4", secured.ownFingerprint)
            if secured.hasEncryptedHello { member("ech", true) }
            append(secured.client, as: "client_tls")
            append(secured.server, as: "server_tls")
            if let certificate = secured.certificate {
                object("certificate") { json in
                    json.member("subject", certificate.subject)
                    json.member("issuer", certificate.issuer)
                    json.member("sha256", certificate.fingerprint)
                    json.member("verified", certificate.isVerified)
                }
            }
            if let certificate = secured.clientCertificate {
                object("client_certificate") { json in
                    json.member("subject", certificate.subject)
                    json.member("origin", certificate.origin.word)
                }
            }
            if let plain = secured.plainBytes {
                object("after") { json in
                    json.member("upstream_bytes", plain.upstream)
                    json.member("downstream_bytes", plain.downstream)
                }
            }
            member("handshake_ns", secured.duration.inNanoseconds)
        case .failed(let failure):
            member("leg", failure.leg == .client ? "client" : "server")
            member("reason", failure.reason)
            if let advice = failure.advice { member("advice", advice) }
        case .truncated(let direction):
            member("direction", direction)
        case .bypassed(let bypass):
            member("name", bypass.name)
            member("reason", bypass.reason.word)
            switch bypass.reason {
            case .excepted(let pattern): member("pattern", pattern)
            case .pinned(let refusals): member("refusals", refusals)
            case .notListed: break
            }
            member("ja4", bypass.fingerprint)
        case .unused(let advice):
            member("advice", advice)
        }
    }

    private mutating func append(_ side: SecuredSide?, as name: StaticString) {
        guard let side else { return }
        object(name) { json in
            json.member("version", side.version)
            json.member("cipher", side.cipher)
            json.member("group", side.group)
        }
    }
}

extension ClientCertificate.Origin {
    /// The origin as a word.
    fileprivate var word: StaticString {
        switch self {
        case .file: "file"
        case .reissued: "reissued"
        case .none: "none"
        }
    }
}
