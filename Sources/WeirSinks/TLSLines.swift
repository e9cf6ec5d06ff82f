import WeirEngine
import WeirWire

/// The lines and the members of what TLS did to a flow.
extension TerminalSink {
    /// Appends a line: `tls TLS 1.3 h2 example.com, server TLS 1.2 verified (CN=R11), 12.3 ms`.
    ///
    /// What the peers named is escaped.
    mutating func appendTLS(_ tls: TLSRecord, _ record: FlowRecord, _ output: inout ByteBuffer) {
        let start = begin(record, &output)
        switch tls {
        case .secured(let secured):
            output.append("tls ")
            append(secured, &output)
        case .failed(let failure):
            beginColor("\u{1B}[31m", &output)
            output.append(failure.leg == .client ? "tls failed, client: " : "tls failed, server: ")
            output.append(SafeText.escaped(failure.reason))
            if let advice = failure.advice {
                output.append("; ")
                output.append(advice)
            }
        case .truncated(let direction):
            appendSign(direction, &output)
            output.append(" ended without close_notify: the stream may have been cut")
        }
        endColor(&output)
        output.endLine(from: start, style)
    }

    private func append(_ secured: SecuredRecord, _ output: inout ByteBuffer) {
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
            output.append(certificate.isVerified ? ", verified (" : ", NOT VERIFIED (")
            output.append(SafeText.escaped(certificate.issuer))
            output.append(")")
        }
        output.append(", ")
        output.appendBrief(secured.duration)
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
            member("handshake_ns", secured.duration.inNanoseconds)
        case .failed(let failure):
            member("leg", failure.leg == .client ? "client" : "server")
            member("reason", failure.reason)
            if let advice = failure.advice { member("advice", advice) }
        case .truncated(let direction):
            member("direction", direction)
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
